//! The Markdown form.

use super::{MOST_LISTED, Remark, Summary, sentence};
use crate::short;

/// Writes a summary.
pub fn markdown(summary: &Summary) -> String {
    let mut out = format!(
        "# {}\n\n{}\n\nMade by workflow {}, version {}, with {}.\n",
        plain(&summary.plate),
        plain(&sentence(summary)),
        plain(&summary.made_by.workflow),
        plain(&summary.made_by.workflow_version),
        plain(&summary.made_by.program)
    );
    remarks("Failed images", &summary.failed_images, &mut out);
    remarks("Outlier wells", &summary.outlier_wells, &mut out);
    remarks("Outlier images", &summary.outlier_images, &mut out);
    if !summary.columns.is_empty() {
        out.push_str("\n## Scores\n\n| column | wells | smallest | median | largest |\n|---|--:|--:|--:|--:|\n");
        for c in &summary.columns {
            out.push_str(&format!(
                "| {} | {} | {} | {} | {} |\n",
                plain(&c.name),
                c.wells,
                short(c.min),
                short(c.median),
                short(c.max)
            ));
        }
        wells(summary, &mut out);
    }
    for name in &summary.absent_columns {
        out.push_str(&format!(
            "\nThe well table has no column {}.\n",
            plain(name)
        ));
    }
    for facts in &summary.backgrounds {
        out.push_str(&format!(
            "\n## Background: {}\n\n| | |\n|---|--:|\n",
            plain(&facts.table)
        ));
        for (name, value) in &facts.values {
            out.push_str(&format!("| {} | {} |\n", plain(name), plain(value)));
        }
    }
    out
}

fn remarks(heading: &str, list: &[Remark], out: &mut String) {
    if list.is_empty() {
        return;
    }
    out.push_str(&format!("\n## {heading}\n\n"));
    for remark in list.iter().take(MOST_LISTED) {
        out.push_str(&format!(
            "- {}: {}\n",
            plain(&remark.name),
            plain(&remark.reason)
        ));
    }
    if list.len() > MOST_LISTED {
        out.push_str(&format!("- and {} more\n", list.len() - MOST_LISTED));
    }
}

fn wells(summary: &Summary, out: &mut String) {
    let names: Vec<String> = summary.columns.iter().map(|c| plain(&c.name)).collect();
    out.push_str(&format!(
        "\n## Wells\n\n| well | {} | |\n|---|{}---|\n",
        names.join(" | "),
        "--:|".repeat(names.len())
    ));
    for row in &summary.well_values {
        let values: Vec<String> = row.values.iter().map(|v| short(*v)).collect();
        out.push_str(&format!(
            "| {} | {} | {} |\n",
            plain(&row.well),
            values.join(" | "),
            if row.outlier { "outlier" } else { "" }
        ));
    }
}

/// Text of others: nothing in it means anything to Markdown, or to HTML inside it.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            c if c.is_control() => out.push(' '),
            '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '(' | ')' | '#' | '+' | '!' | '|'
            | '~' => {
                out.push('\\');
                out.push(c);
            }
            // Not made a link of by those who look for addresses.
            '@' => out.push_str("&#64;"),
            ':' if out.ends_with("http") || out.ends_with("https") => out.push_str("&#58;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_text_means_nothing() {
        assert_eq!(
            plain("a|b\n# [x](http://y) <img src=x> *b* IgG_q0.5 -1"),
            "a\\|b \\# \\[x\\]\\(http&#58;//y\\) &lt;img src=x&gt; \\*b\\* IgG\\_q0.5 -1"
        );
    }
}
