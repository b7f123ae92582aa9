// Each thread has 8 rows of one column, and loads each row around them once. Neighbouring threads have neighbouring columns.

fn row_at(y: i32, x: i32) -> f32 {
    return source[(resolved(y, p.height) - p.source_row) * p.width + x];
}

fn store(row: i32, x: i32, value: f32) {
    if row < p.out_rows {
        out[row * p.width + x] = value;
    }
}

@compute @workgroup_size(64, 4)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let x = i32(id.x);
    let first = i32(id.y) * 8;
    if x >= p.width || first >= p.out_rows {
        return;
    }
    let y = p.out_row + first;
    // Beyond the last row there is nothing to compute: what stands for it is not stored.
    let end = p.out_row + p.out_rows - 1;
    let centre_a = vec4(
        row_at(y, x), row_at(min(y + 1, end), x), row_at(min(y + 2, end), x), row_at(min(y + 3, end), x),
    );
    let centre_b = vec4(
        row_at(min(y + 4, end), x), row_at(min(y + 5, end), x), row_at(min(y + 6, end), x), row_at(min(y + 7, end), x),
    );
    var sum_a = vec4<f32>();
    var sum_b = vec4<f32>();
    // The weights that the row at hand has for the 8 rows of the result.
    var weight_a = vec4<f32>();
    var weight_b = vec4<f32>();
    let taps = 2 * p.radius + 1;
    // A band has no more rows than those around its result.
    let last = taps + min(7, p.out_rows - 1 - first);
    for (var tap = 0; tap < last; tap++) {
        var weight = 0.0;
        if tap < taps {
            weight = weights[tap];
        }
        weight_b = vec4(weight_a.w, weight_b.xyz);
        weight_a = vec4(weight, weight_a.xyz);
        let value = row_at(y - p.radius + tap, x);
        sum_a += weight_a * (vec4(value) - centre_a);
        sum_b += weight_b * (vec4(value) - centre_b);
    }
    sum_a += p.total * centre_a;
    sum_b += p.total * centre_b;
    store(first, x, sum_a.x);
    store(first + 1, x, sum_a.y);
    store(first + 2, x, sum_a.z);
    store(first + 3, x, sum_a.w);
    store(first + 4, x, sum_b.x);
    store(first + 5, x, sum_b.y);
    store(first + 6, x, sum_b.z);
    store(first + 7, x, sum_b.w);
}
