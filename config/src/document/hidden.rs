//! Lines that are not quoted, because they may hold a secret.

/// How far back is looked for the table that a line belongs to. Every mistake costs no more than this.
const FAR: usize = 64;

/// How much of a line, in bytes, may be quoted; `None` if all of it. `above`: the beginnings of the lines above it, from the
/// nearest on.
pub(super) fn visible<'t>(line: &str, above: impl Iterator<Item = &'t str>) -> Option<usize> {
    let indent = line.len() - line.trim_start().len();
    let key = line[indent..]
        .split(['=', '.', ' ', '\t'])
        .next()
        .unwrap_or_default()
        .trim_matches(['"', '\'']);
    if matches!(key, "webhook" | "headers") {
        return Some(indent + key.len());
    }
    // An address under a name with a slip; inside of `[notify.headers]`, or of a `headers = {` that goes over several lines.
    let is_address = line.contains("://");
    for above in above.take(FAR) {
        let above = above.trim_start();
        if above.starts_with('[') {
            return if above.contains("headers") {
                Some(indent)
            } else {
                (is_address && above.contains("notify")).then_some(indent + key.len())
            };
        }
        if above.starts_with("headers") && !above.contains('}') {
            return Some(indent);
        }
    }
    None
}

/// Whether the value at a key is a secret.
pub(super) fn is_secret(key: &str) -> bool {
    key.starts_with("notify[") && (key.ends_with("].webhook") || key.contains("].headers"))
}
