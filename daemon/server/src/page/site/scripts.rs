//! The scripts of this page: modules without a build step, compiled in.

/// (name, content)
pub(in crate::page) const SCRIPTS: [(&str, &str); 13] = [
    ("site.js", include_str!("../../../assets/site.js")),
    (
        "site-color-by.js",
        include_str!("../../../assets/site-color-by.js"),
    ),
    (
        "site-colors.js",
        include_str!("../../../assets/site-colors.js"),
    ),
    (
        "site-drawing.js",
        include_str!("../../../assets/site-drawing.js"),
    ),
    (
        "site-element.js",
        include_str!("../../../assets/site-element.js"),
    ),
    (
        "site-labels.js",
        include_str!("../../../assets/site-labels.js"),
    ),
    (
        "site-layers.js",
        include_str!("../../../assets/site-layers.js"),
    ),
    (
        "site-loader.js",
        include_str!("../../../assets/site-loader.js"),
    ),
    ("site-news.js", include_str!("../../../assets/site-news.js")),
    (
        "site-objects.js",
        include_str!("../../../assets/site-objects.js"),
    ),
    ("site-plot.js", include_str!("../../../assets/site-plot.js")),
    ("site-rows.js", include_str!("../../../assets/site-rows.js")),
    ("site-view.js", include_str!("../../../assets/site-view.js")),
];
