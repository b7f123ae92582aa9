//! Random work in the root. In the end the host must know exactly the whole files that are there, in their last state.

use crate::lab::{Lab, until};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;
use watch::FileIdentity;

/// A small generator (SplitMix64): the work is the same in every run, its timing is not.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % end as u64) as usize
    }
}

/// One step of work on eight folders of eight names, two levels deep. Steps that make no sense just fail.
fn step(random: &mut Random, root: &Path, outside: &Path) {
    let folder = |random: &mut Random| match random.below(12) {
        number @ 0..8 => root
            .join(format!("p{}", number % 4))
            .join(format!("w{}", number / 4)),
        number => root.join(format!("p{}", number % 4)),
    };
    let file = |random: &mut Random| folder(random).join(format!("f{}", random.below(8)));
    let _ = match random.below(20) {
        0..3 => fs::create_dir_all(folder(random)),
        3 => fs::rename(folder(random), folder(random)),
        4 => fs::rename(folder(random), outside.join("moved")),
        5 => fs::rename(outside.join("moved"), folder(random)),
        6 if random.below(4) == 0 => fs::remove_dir_all(folder(random)),
        7 => fs::remove_file(file(random)),
        8 | 9 => fs::rename(file(random), file(random)),
        10 => fs::hard_link(file(random), file(random)),
        11 => fs::write(file(random), "half"),
        12 => fs::OpenOptions::new()
            .append(true)
            .open(file(random))
            .map(|mut file| {
                use std::io::Write;
                let _ = file.write_all(b" more END");
            }),
        _ => {
            let path = file(random);
            let _ = path.parent().map(fs::create_dir_all);
            fs::write(path, format!("{} END", random.below(100_000)))
        }
    };
}

fn whole_files(folder: &Path, root: &Path, found: &mut BTreeMap<PathBuf, FileIdentity>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            whole_files(&path, root, found);
        } else if fs::read(&path).unwrap().ends_with(b"END") {
            let identity = FileIdentity::of(&fs::metadata(&path).unwrap());
            found.insert(path.strip_prefix(root).unwrap().to_owned(), identity);
        }
    }
}

fn soak(mut lab: Lab, seed: u64) {
    lab.spec.settle = Duration::from_millis(20);
    lab.start();
    lab.write("anchor", "END");
    let mut random = Random(seed);
    let outside = lab.outside("");
    for _ in 0..3000 {
        step(&mut random, &lab.spec.path, &outside);
    }
    let mut there = BTreeMap::new();
    whole_files(&lab.spec.path, &lab.spec.path, &mut there);
    assert!(there.len() > 5, "the work leaves something to find");
    // A file that was whole once and is half now stays registered; the daemon sees by its hash.
    // A further link to a file, or one less, changes the ctime of all, and causes no event at the others.
    let same = |a: &FileIdentity, b: &FileIdentity| {
        let ctime_ns = b.ctime_ns;
        FileIdentity { ctime_ns, ..*a } == *b
    };
    let agrees = || {
        let known = lab.host.known.lock().unwrap();
        known.keys().all(|path| lab.spec.path.join(path).exists())
            && there
                .iter()
                .all(|(path, identity)| known.get(path).is_some_and(|known| same(known, identity)))
    };
    let deadline = std::time::Instant::now() + crate::lab::DEADLINE;
    while !agrees() && std::time::Instant::now() < deadline {
        std::thread::park_timeout(Duration::from_millis(5));
    }
    if !agrees() {
        let known = lab.host.known.lock().unwrap().clone();
        panic!("seed {seed}\nthere: {there:#?}\nknown: {known:#?}");
    }
    until("nothing whole is waited for", || {
        let files = lab.watcher().settling(crate::lab::ROOT);
        files.iter().all(|file| !there.contains_key(&file.path))
    });
}

#[test]
fn random_work_is_followed_natively() {
    for seed in 0..3 {
        soak(Lab::new(), seed);
    }
}

#[test]
fn random_work_is_followed_with_lost_events() {
    let mut lab = Lab::new();
    lab.spec.event_queue = 8;
    soak(lab, 11);
}

#[test]
fn random_work_is_followed_by_polling() {
    let mut lab = Lab::new();
    lab.spec.mode = watch::Mode::Poll;
    lab.spec.poll_interval = Duration::from_millis(50);
    soak(lab, 12);
}
