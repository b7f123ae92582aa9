// Masks: neighbours belong together if both are foreground.
fn same(one: u32, other: u32) -> bool { return inside(one) == inside(other); }
