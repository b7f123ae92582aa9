//! The HTML form: one file, no scripts, nothing to load.

use super::{MOST_LISTED, Remark, Summary, sentence};
use crate::drawing::escape;
use crate::short;

/// Forbids whatever a browser might still be talked into.
const POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";
const STYLE: &str = "body{font:15px/1.5 system-ui,sans-serif;color:#1a1a1a;background:#fff;max-width:80rem;margin:2rem auto;padding:0 1rem}\
h1{margin-bottom:0}table{border-collapse:collapse;margin:1rem 0}\
th,td{border:1px solid #bbb;padding:.2rem .6rem;text-align:left;vertical-align:top}td.number,th.number{text-align:right}\
figure{margin:1.5rem 0}svg{max-width:100%;height:auto}.made-by{color:#595959}";

/// Writes a summary.
pub fn html(summary: &Summary) -> String {
    let plate = escape(&summary.plate);
    let mut out = format!(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n\
         <meta name=\"viewport\" content=\"width=device-width\">\n<title>{plate}</title>\n<style>{STYLE}</style>\n</head>\n\
         <body>\n<main>\n<h1>{plate}</h1>\n<p>{}</p>\n<p class=\"made-by\">Made by workflow {}, version {}, with {}.</p>\n",
        escape(&sentence(summary)),
        escape(&summary.made_by.workflow),
        escape(&summary.made_by.workflow_version),
        escape(&summary.made_by.program)
    );
    remarks("Failed images", "image", &summary.failed_images, &mut out);
    remarks("Outlier wells", "well", &summary.outlier_wells, &mut out);
    remarks("Outlier images", "image", &summary.outlier_images, &mut out);
    if !summary.columns.is_empty() {
        scores(summary, &mut out);
    }
    for name in &summary.absent_columns {
        out.push_str(&format!(
            "<p>The well table has no column <code>{}</code>.</p>\n",
            escape(name)
        ));
    }
    for picture in &summary.pictures {
        out.push_str(&format!("<figure>\n{picture}</figure>\n"));
    }
    if !summary.columns.is_empty() {
        wells(summary, &mut out);
    }
    for facts in &summary.backgrounds {
        out.push_str(&format!(
            "<h2>Background: {}</h2>\n<table>\n",
            escape(&facts.table)
        ));
        for (name, value) in &facts.values {
            out.push_str(&format!(
                "<tr><th scope=\"row\">{}</th><td class=\"number\">{}</td></tr>\n",
                escape(name),
                escape(value)
            ));
        }
        out.push_str("</table>\n");
    }
    out.push_str("</main>\n</body>\n</html>\n");
    out
}

fn remarks(heading: &str, what: &str, list: &[Remark], out: &mut String) {
    if list.is_empty() {
        return;
    }
    out.push_str(&format!(
        "<h2>{heading}</h2>\n<table>\n<tr><th scope=\"col\">{what}</th><th scope=\"col\">reason</th></tr>\n"
    ));
    for remark in list.iter().take(MOST_LISTED) {
        out.push_str(&format!(
            "<tr><th scope=\"row\">{}</th><td>{}</td></tr>\n",
            escape(&remark.name),
            escape(&remark.reason)
        ));
    }
    out.push_str("</table>\n");
    if list.len() > MOST_LISTED {
        out.push_str(&format!(
            "<p>And {} more; all are in the JSON file.</p>\n",
            list.len() - MOST_LISTED
        ));
    }
}

fn scores(summary: &Summary, out: &mut String) {
    out.push_str("<h2>Scores</h2>\n<table>\n<tr><th scope=\"col\">column</th>");
    for name in ["wells", "smallest", "median", "largest"] {
        out.push_str(&format!("<th scope=\"col\" class=\"number\">{name}</th>"));
    }
    out.push_str("</tr>\n");
    for c in &summary.columns {
        out.push_str(&format!("<tr><th scope=\"row\">{}</th>", escape(&c.name)));
        let numbers = [
            c.wells.to_string(),
            short(c.min),
            short(c.median),
            short(c.max),
        ];
        for number in numbers {
            out.push_str(&format!("<td class=\"number\">{number}</td>"));
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</table>\n");
}

fn wells(summary: &Summary, out: &mut String) {
    out.push_str("<h2>Wells</h2>\n<table>\n<tr><th scope=\"col\">well</th>");
    for c in &summary.columns {
        out.push_str(&format!(
            "<th scope=\"col\" class=\"number\">{}</th>",
            escape(&c.name)
        ));
    }
    out.push_str("<th scope=\"col\">remark</th></tr>\n");
    for row in &summary.well_values {
        out.push_str(&format!("<tr><th scope=\"row\">{}</th>", escape(&row.well)));
        for value in &row.values {
            out.push_str(&format!("<td class=\"number\">{}</td>", short(*value)));
        }
        out.push_str(&format!(
            "<td>{}</td></tr>\n",
            if row.outlier { "outlier" } else { "" }
        ));
    }
    out.push_str("</table>\n");
}
