//! Answers that were given lately.

use std::collections::HashMap;
use std::sync::Arc;

use crate::Answer;

/// Answers by their tag, the least recently used forgotten first, within a number of bytes.
#[derive(Debug)]
pub(crate) struct Cache {
    most: usize,
    bytes: usize,
    clock: u64,
    answers: HashMap<String, (u64, Arc<Answer>)>,
}

/// What an answer costs beside its content.
const OVERHEAD: usize = 512;

impl Cache {
    pub fn new(most: usize) -> Self {
        Self {
            most,
            bytes: 0,
            clock: 0,
            answers: HashMap::new(),
        }
    }

    pub fn get(&mut self, tag: &str) -> Option<Arc<Answer>> {
        self.clock += 1;
        let (used, answer) = self.answers.get_mut(tag)?;
        *used = self.clock;
        Some(Arc::clone(answer))
    }

    pub fn put(&mut self, tag: String, answer: &Arc<Answer>) {
        let size = answer.bytes.len() + OVERHEAD;
        // One answer must not drive out all others.
        if size > self.most / 4 {
            return;
        }
        self.clock += 1;
        self.bytes += size;
        if let Some((_, old)) = self.answers.insert(tag, (self.clock, Arc::clone(answer))) {
            self.bytes -= old.bytes.len() + OVERHEAD;
        }
        if self.bytes > self.most {
            self.shrink();
        }
    }

    /// Forgets the older half, so that this is not done for each answer.
    fn shrink(&mut self) {
        let mut used: Vec<u64> = self.answers.values().map(|(used, _)| *used).collect();
        used.sort_unstable();
        let middle = used.get(used.len() / 2).copied().unwrap_or(0);
        self.answers.retain(|_, (used, _)| *used > middle);
        self.bytes = self
            .answers
            .values()
            .map(|(_, a)| a.bytes.len() + OVERHEAD)
            .sum();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_used_lately_stays() {
        let answer = |n| {
            Arc::new(Answer {
                kind: String::new(),
                bytes: vec![0; n],
                meta: serde_json::Value::Null,
            })
        };
        let mut cache = Cache::new(10_000);
        cache.put("large".to_owned(), &answer(9_000));
        assert!(cache.get("large").is_none());
        for i in 0..100 {
            cache.put(i.to_string(), &answer(500));
            assert!(cache.get("0").is_some(), "asked for all the time");
            assert!(cache.bytes <= 10_000);
        }
        assert!(cache.get("99").is_some());
        assert!(cache.get("50").is_none());
        cache.put("0".to_owned(), &answer(100));
        assert_eq!(
            cache.bytes,
            cache
                .answers
                .values()
                .map(|(_, a)| a.bytes.len() + OVERHEAD)
                .sum::<usize>()
        );
    }
}
