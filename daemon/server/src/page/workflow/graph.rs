//! The graph of a workflow as a drawing: jobs in layers from left to right, each right of all that it needs.

use std::collections::BTreeMap;

use crate::control::JobInfo;

/// Size of a job, and the space between two, in the units of the drawing (pixels).
const WIDTH: usize = 196;
const HEIGHT: usize = 54;
const GAP_X: usize = 64;
const GAP_Y: usize = 18;
const MARGIN: usize = 8;

/// Characters of a name that fit into a job.
const FITS: usize = 24;

/// Times that the order in the layers is improved.
const SWEEPS: usize = 6;

/// The graph of a workflow as a drawing.
#[derive(Debug, Default)]
pub(in crate::page) struct Graph {
    pub width: usize,
    pub height: usize,
    pub nodes: Vec<Node>,
    pub edges: Vec<Edge>,
}

/// A job in the drawing.
#[derive(Debug)]
pub(in crate::page) struct Node {
    pub job: String,
    /// As much of it as fits.
    pub name: String,
    pub kind: String,
    /// In words for people.
    pub scope: &'static str,
    /// The class of its scope in the style sheet.
    pub class: &'static str,
    pub x: usize,
    pub y: usize,
    /// What the drawing says, in words.
    pub label: String,
}

/// What one job hands to another.
#[derive(Debug)]
pub(in crate::page) struct Edge {
    pub path: String,
    /// `after` alone says so: nothing is handed over.
    pub is_order: bool,
    pub label: String,
}

/// What a task of the scope works on, in words.
pub(in crate::page) fn scope_word(scope: &str) -> &'static str {
    match scope {
        "image_set" => "image set",
        "well" => "well",
        "plate" => "plate",
        "stack" => "stack",
        _ => "other",
    }
}

impl Graph {
    /// `jobs` in an order in which they can run.
    pub(in crate::page) fn new(jobs: &[JobInfo]) -> Self {
        let index: BTreeMap<&str, usize> = jobs
            .iter()
            .enumerate()
            .map(|(i, job)| (job.id.as_str(), i))
            .collect();
        let needs: Vec<Vec<usize>> = jobs
            .iter()
            .enumerate()
            .map(|(i, job)| {
                let found = job.needs.iter();
                found
                    .filter_map(|edge| index.get(edge.job.as_str()).copied())
                    .filter(|before| *before < i)
                    .collect()
            })
            .collect();
        let ways = Ways::new(&needs);
        let layers = layers(&ways);
        let rows = layers.iter().map(Vec::len).max().unwrap_or(0);
        let mut places = vec![(0, 0); ways.needs.len()];
        for (column, layer) in layers.iter().enumerate() {
            // A short layer stands in the middle.
            let top = (rows - layer.len()) * (HEIGHT + GAP_Y) / 2;
            for (row, stop) in layer.iter().enumerate() {
                places[*stop] = (
                    MARGIN + column * (WIDTH + GAP_X),
                    MARGIN + top + row * (HEIGHT + GAP_Y),
                );
            }
        }
        Self {
            width: 2 * MARGIN + (layers.len() * (WIDTH + GAP_X)).saturating_sub(GAP_X),
            height: 2 * MARGIN + (rows * (HEIGHT + GAP_Y)).saturating_sub(GAP_Y),
            nodes: jobs
                .iter()
                .zip(&places)
                .map(|(job, place)| node(job, *place))
                .collect(),
            edges: edges(jobs, &index, &ways, &places),
        }
    }
}

/// Jobs, and behind them the stops at which edges pass through the layers that they cross, so that none runs under a job.
struct Ways {
    depth: Vec<usize>,
    /// What each job or stop comes right after.
    needs: Vec<Vec<usize>>,
    /// The stops of the edge from the first job to the second.
    stops: BTreeMap<(usize, usize), Vec<usize>>,
}

impl Ways {
    fn new(needs: &[Vec<usize>]) -> Self {
        let mut depth = vec![0; needs.len()];
        for (i, before) in needs.iter().enumerate() {
            depth[i] = before.iter().map(|b| depth[*b] + 1).max().unwrap_or(0);
        }
        let mut ways = Self {
            depth,
            needs: vec![Vec::new(); needs.len()],
            stops: BTreeMap::new(),
        };
        for (to, before) in needs.iter().enumerate() {
            for from in before {
                let mut last = *from;
                let mut stops = Vec::new();
                for depth in ways.depth[*from] + 1..ways.depth[to] {
                    ways.needs.push(vec![last]);
                    ways.depth.push(depth);
                    last = ways.needs.len() - 1;
                    stops.push(last);
                }
                ways.needs[to].push(last);
                ways.stops.insert((*from, to), stops);
            }
        }
        ways
    }
}

/// Jobs and stops by depth, each layer in an order that keeps the edges short.
fn layers(ways: &Ways) -> Vec<Vec<usize>> {
    let Ways { depth, needs, .. } = ways;
    let count = depth.iter().max().map_or(0, |deepest| deepest + 1);
    let mut layers = vec![Vec::new(); count];
    for (stop, depth) in depth.iter().enumerate() {
        layers[*depth].push(stop);
    }
    let mut neighbours: Vec<Vec<usize>> = needs.clone();
    for (i, before) in needs.iter().enumerate() {
        for b in before {
            neighbours[*b].push(i);
        }
    }
    let mut place = vec![0.0; needs.len()];
    let set = |layer: &[usize], place: &mut [f64]| {
        for (row, job) in layer.iter().enumerate() {
            // From the middle, so that layers of different lengths can be compared.
            place[*job] = row as f64 - (layer.len() as f64 - 1.0) / 2.0;
        }
    };
    for layer in &layers {
        set(layer, &mut place);
    }
    for _ in 0..SWEEPS {
        for layer in &mut layers {
            let middle = |job: &usize| {
                let around = &neighbours[*job];
                if around.is_empty() {
                    return place[*job];
                }
                around.iter().map(|n| place[*n]).sum::<f64>() / around.len() as f64
            };
            // A stable sort: what is as good as before stays.
            let mut keyed: Vec<(f64, usize)> = layer.iter().map(|j| (middle(j), *j)).collect();
            keyed.sort_by(|one, other| one.0.total_cmp(&other.0));
            *layer = keyed.into_iter().map(|(_, job)| job).collect();
            set(layer, &mut place);
        }
    }
    layers
}

fn node(job: &JobInfo, (x, y): (usize, usize)) -> Node {
    let scope = scope_word(&job.scope);
    Node {
        job: job.id.clone(),
        name: shortened(&job.id),
        kind: shortened(&job.kind),
        scope,
        class: match job.scope.as_str() {
            "plate" => "of-plate",
            "well" => "of-well",
            _ => "of-set",
        },
        x,
        y,
        label: format!("{}, {}, each {scope}: its tasks", job.id, job.kind),
    }
}

fn shortened(text: &str) -> String {
    if text.chars().count() <= FITS {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(FITS - 1).collect();
    short.push('…');
    short
}

fn edges(
    jobs: &[JobInfo],
    index: &BTreeMap<&str, usize>,
    ways: &Ways,
    places: &[(usize, usize)],
) -> Vec<Edge> {
    let mut edges = Vec::new();
    for (to, job) in jobs.iter().enumerate() {
        for need in &job.needs {
            let Some(from) = index.get(need.job.as_str()).copied() else {
                continue;
            };
            let Some(stops) = ways.stops.get(&(from, to)) else {
                continue;
            };
            edges.push(Edge {
                path: path(places[from], stops.iter().map(|s| places[*s]), places[to]),
                is_order: need.names.is_empty(),
                label: format!("{} to {}: {}", need.job, job.id, need.names.join(", ")),
            });
        }
    }
    edges
}

/// From the right side of a job over the stops, straight through their places, to the left side of another.
fn path(
    from: (usize, usize),
    stops: impl Iterator<Item = (usize, usize)>,
    to: (usize, usize),
) -> String {
    let middle = |place: (usize, usize)| place.1 + HEIGHT / 2;
    let bend = |x0: usize, y0: usize, x1: usize, y1: usize| {
        let half = (x1 - x0) / 2;
        format!("C{} {y0} {} {y1} {x1} {y1}", x0 + half, x1 - half)
    };
    let (mut x, mut y) = (from.0 + WIDTH, middle(from));
    let mut path = format!("M{x} {y}");
    for stop in stops {
        path.push_str(&bend(x, y, stop.0, middle(stop)));
        (x, y) = (stop.0 + WIDTH, middle(stop));
        path.push_str(&format!("H{x}"));
    }
    path.push_str(&bend(x, y, to.0, middle(to)));
    path
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::control::EdgeInfo;

    fn job(id: &str, needs: &[&str]) -> JobInfo {
        let edge = |job: &&str| EdgeInfo {
            job: (*job).to_owned(),
            names: vec![format!("{job}_out")],
        };
        JobInfo {
            id: id.to_owned(),
            kind: "kind".to_owned(),
            about: String::new(),
            scope: "image_set".to_owned(),
            inputs: BTreeMap::new(),
            outputs: BTreeMap::new(),
            needs: needs.iter().map(edge).collect(),
            parameters: serde_json::Value::Null,
            keep: true,
            time_limit_secs: None,
            limit: None,
        }
    }

    #[test]
    fn each_job_is_right_of_all_that_it_needs_and_none_covers_another() {
        let jobs = [
            job("a", &[]),
            job("b", &[]),
            job("c", &["a"]),
            job("d", &["b", "c"]),
            job("e", &["a", "d"]),
        ];
        let graph = Graph::new(&jobs);
        let at = |id: &str| graph.nodes.iter().find(|n| n.job == id).map(|n| (n.x, n.y));
        for job in &jobs {
            for need in &job.needs {
                assert!(at(&need.job).map(|p| p.0) < at(&job.id).map(|p| p.0));
            }
        }
        let mut places: Vec<_> = graph.nodes.iter().map(|n| (n.x, n.y)).collect();
        places.sort_unstable();
        places.dedup();
        assert_eq!(places.len(), jobs.len());
        assert!(graph.nodes.iter().all(|n| n.x + WIDTH <= graph.width));
        assert!(graph.nodes.iter().all(|n| n.y + HEIGHT <= graph.height));
        assert_eq!(graph.edges.len(), 5);
        // From `a` in the first layer to `e` in the last: straight through the layers between.
        let long = graph.edges.iter().find(|e| e.label.starts_with("a to e"));
        assert_eq!(long.map(|e| e.path.matches('H').count()), Some(2));
    }

    #[test]
    fn layers_are_ordered_so_that_edges_do_not_cross() {
        // a -> y and b -> x would cross in the order of the file.
        let jobs = [
            job("a", &[]),
            job("b", &[]),
            job("x", &["b"]),
            job("y", &["a"]),
        ];
        let graph = Graph::new(&jobs);
        let y = |id: &str| graph.nodes.iter().find(|n| n.job == id).map(|n| n.y);
        assert_eq!(y("a") < y("b"), y("y") < y("x"));
    }

    #[test]
    fn nothing_is_no_drawing() {
        assert!(Graph::new(&[]).nodes.is_empty());
        assert_eq!(shortened(&"x".repeat(40)).chars().count(), FITS);
    }
}
