// A group has 256 columns of 4 rows; a thread 8 columns of one row. What they load goes through workgroup memory, as many columns at
// a time as fit: each value is loaded once, and neighbouring threads load and store neighbouring values.

const OUTPUTS: i32 = 256;
// Weights that are applied between two loads.
const CHUNK: i32 = 256;
// Columns that a chunk of weights needs.
const LOADED: i32 = OUTPUTS + CHUNK;
// Every ninth word is skipped, so that threads 8 columns apart do not wait for the same bank.
const LINE: i32 = LOADED + LOADED / 8;

var<workgroup> line: array<f32, LINE * 4>;

fn place(column: i32, row: i32) -> i32 {
    return row * LINE + column + (column >> 3u);
}

@compute @workgroup_size(32, 4)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
) {
    let thread = i32(local.x);
    let row = i32(local.y);
    let y = i32(group.y) * 4 + row;
    let left = i32(group.x) * OUTPUTS;
    let start = min(y, p.out_rows - 1) * p.width;
    let at = 8 * thread;

    for (var column = thread; column < OUTPUTS; column += 32) {
        line[place(column, row)] = source[start + resolved(left + column, p.width)];
    }
    workgroupBarrier();
    let centre_a = vec4(
        line[place(at, row)], line[place(at + 1, row)], line[place(at + 2, row)], line[place(at + 3, row)],
    );
    let centre_b = vec4(
        line[place(at + 4, row)], line[place(at + 5, row)], line[place(at + 6, row)], line[place(at + 7, row)],
    );

    var sum_a = vec4<f32>();
    var sum_b = vec4<f32>();
    let taps = 2 * p.radius + 1;
    for (var first = 0; first < taps; first += CHUNK) {
        let chunk = min(CHUNK, taps - first);
        workgroupBarrier();
        for (var column = thread; column < OUTPUTS + chunk - 1; column += 32) {
            let x = left + column + first - p.radius;
            line[place(column, row)] = source[start + resolved(x, p.width)];
        }
        workgroupBarrier();
        // The weights that the value at hand has for the 8 columns of the result.
        var weight_a = vec4<f32>();
        var weight_b = vec4<f32>();
        for (var tap = 0; tap < chunk + 7; tap++) {
            var weight = 0.0;
            if tap < chunk {
                weight = weights[first + tap];
            }
            weight_b = vec4(weight_a.w, weight_b.xyz);
            weight_a = vec4(weight, weight_a.xyz);
            let value = line[place(at + tap, row)];
            sum_a += weight_a * (vec4(value) - centre_a);
            sum_b += weight_b * (vec4(value) - centre_b);
        }
    }
    sum_a += p.total * centre_a;
    sum_b += p.total * centre_b;

    workgroupBarrier();
    line[place(at, row)] = sum_a.x;
    line[place(at + 1, row)] = sum_a.y;
    line[place(at + 2, row)] = sum_a.z;
    line[place(at + 3, row)] = sum_a.w;
    line[place(at + 4, row)] = sum_b.x;
    line[place(at + 5, row)] = sum_b.y;
    line[place(at + 6, row)] = sum_b.z;
    line[place(at + 7, row)] = sum_b.w;
    workgroupBarrier();
    if y < p.out_rows {
        for (var column = thread; column < OUTPUTS && left + column < p.width; column += 32) {
            out[y * p.width + left + column] = line[place(column, row)];
        }
    }
}
