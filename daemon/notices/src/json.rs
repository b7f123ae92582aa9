//! Messages for programs: everything that is known, with the names of the API.

use jiff::Timestamp;
use queue::{FailedTask, News, PlateNews};
use serde_json::{Map, Value, json};

use crate::message::Message;

/// The body of the request.
pub(crate) fn body(message: &Message) -> Value {
    let mut out = Map::new();
    let mut put = |key: &str, value: Value| drop(out.insert(key.to_owned(), value));
    put("id", json!(message.token));
    put("event", json!(message.kind));
    put("at", json!(time(message.at)));
    put("title", json!(message.title.to_string()));
    put("url", json!(message.link));
    match &message.news {
        Some((id, News::Plate(news))) => {
            let mut plate = plate(news);
            plate["id"] = json!(id);
            put("plate", plate);
            put("summary", json!(message.summary.data));
            put("summary_text", json!(message.summary.text));
        }
        Some((_, News::Pause(news))) => {
            put("pause", json!({ "root": news.root, "reason": news.reason }));
        }
        None => {}
    }
    Value::Object(out)
}

/// A time as the API writes it.
fn time(at: Timestamp) -> String {
    format!("{at:.3}")
}

fn plate(news: &PlateNews) -> Value {
    let failure = |failed: &FailedTask| {
        json!({
            "subject": failed.subject,
            "job": failed.job,
            "code": failed.failure.code,
            "message": failed.failure.message,
            "remedy": failed.failure.remedy,
            "path": failed.failure.path,
        })
    };
    let seconds = news
        .finished_at
        .map(|end| end.as_second() - news.created_at.as_second());
    json!({
        "name": news.plate,
        "root": news.root,
        "output": news.output.to_string_lossy(),
        "image_sets": news.image_sets,
        "failed_image_sets": news.failed_image_sets,
        "tasks": news.tasks,
        "failures": news.failures.iter().map(failure).collect::<Vec<_>>(),
        "created_at": time(news.created_at),
        "completed_at": news.completed_at.map(time),
        "finished_at": news.finished_at.map(time),
        "duration_seconds": seconds,
        "detail": news.detail,
    })
}
