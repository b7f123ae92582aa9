//! Counting values into tables.

/// Tables that take turns, because adding to the counter that was just written waits for that write.
const TABLES: usize = 4;

/// The number of occurrences of each byte.
pub(super) fn bytes(values: &[u8]) -> [u64; 256] {
    let mut total = [0u64; 256];
    // A 32-bit counter cannot overflow within one part.
    for part in values.chunks(1 << 30) {
        let mut tables = [[0u32; 256]; TABLES];
        let (groups, rest) = part.as_chunks::<TABLES>();
        for group in groups {
            for (table, &value) in tables.iter_mut().zip(group) {
                table[usize::from(value)] += 1;
            }
        }
        for &value in rest {
            tables[0][usize::from(value)] += 1;
        }
        for table in tables {
            for (sum, count) in total.iter_mut().zip(table) {
                *sum += u64::from(count);
            }
        }
    }
    total
}

/// The number of occurrences of each value of `first..=last`, between which all `values` lie.
pub(super) fn words(values: &[u16], first: u16, last: u16) -> Vec<u64> {
    let len = usize::from(last - first) + 1;
    let mut total = vec![0u64; len];
    for part in values.chunks(1 << 30) {
        // Two tables, not four: at 16 bits they would leave the second-level cache.
        let mut even = vec![0u32; len];
        let mut odd = vec![0u32; len];
        let (pairs, rest) = part.as_chunks::<2>();
        for &[a, b] in pairs {
            even[usize::from(a - first)] += 1;
            odd[usize::from(b - first)] += 1;
        }
        for &value in rest {
            even[usize::from(value - first)] += 1;
        }
        for ((sum, even), odd) in total.iter_mut().zip(even).zip(odd) {
            *sum += u64::from(even) + u64::from(odd);
        }
    }
    total
}
