// What stands beyond the border: `analysis::gaussian::Mode`.

const NEAREST: u32 = 0u;
const REFLECT: u32 = 1u;

override MODE: u32;

// The index inside 0..length whose value stands at `index`, for any distance beyond the border.
fn resolved(index: i32, length: i32) -> i32 {
    if index >= 0 && index < length {
        return index;
    }
    if MODE == NEAREST || length == 1 {
        return clamp(index, 0, length - 1);
    }
    var period = 2 * length;
    if MODE != REFLECT {
        period -= 2;
    }
    var folded = index % period;
    if folded < 0 {
        folded += period;
    }
    if MODE == REFLECT {
        return min(folded, period - 1 - folded);
    }
    return min(folded, period - folded);
}
