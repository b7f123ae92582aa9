//! The microscope: writes plates in all the ways that files arrive, and knows what is true.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};

use crate::synthetic::{PlateSpec, Random, render, sites};

/// What a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Content {
    seed: u64,
    broken: bool,
}

struct Plate {
    name: String,
    /// What was written for each site last; `None` before anything was.
    sites: Vec<Option<Content>>,
    finished: bool,
}

/// Writes files. Its memory is the truth that results are compared with.
pub struct Feeder {
    drop: PathBuf,
    aside: PathBuf,
    random: Random,
    spec: PlateSpec,
    plates: Vec<Plate>,
    seeds: u64,
    /// How many things it did.
    pub steps: u64,
}

impl Feeder {
    /// A feeder that writes into `drop`, and prepares what is moved there in `aside`.
    #[must_use]
    pub fn new(drop: PathBuf, aside: PathBuf, seed: u64) -> Self {
        Self {
            drop,
            aside,
            random: Random(seed),
            spec: PlateSpec {
                rows: 2,
                columns: 3,
                sites: 1,
                side: 96,
                nuclei: 3,
                dead_well: None,
                seed: 0,
            },
            plates: Vec::new(),
            seeds: 0,
            steps: 0,
        }
    }

    /// Does one thing that happens in an acquisition folder, with at most so many plates.
    ///
    /// # Errors
    /// A file cannot be written.
    pub fn step(&mut self, most_plates: usize) -> io::Result<()> {
        self.steps += 1;
        if self.plates.len() < most_plates
            && self
                .plates
                .last()
                .is_none_or(|p| p.sites.iter().all(Option::is_some))
        {
            return self.new_plate();
        }
        let plate = self.pick(self.plates.len());
        let site = self.pick(self.plates[plate].sites.len());
        let Some(content) = self.plates[plate].sites[site] else {
            return self.put(plate, site, false);
        };
        match self.random.below(12) {
            // The site that is missing, before anything is replaced.
            0..=3 => {
                let missing = |p: &Plate| p.sites.iter().position(Option::is_none);
                match (0..self.plates.len()).find_map(|p| Some((p, missing(&self.plates[p])?))) {
                    Some((plate, site)) => self.put(plate, site, false),
                    None => self.put(plate, site, false),
                }
            }
            4 | 5 => self.put(plate, site, false),
            6 => self.put(plate, site, true),
            7 => {
                let path = self.path(plate, site);
                File::options()
                    .append(true)
                    .open(path)?
                    .set_modified(std::time::SystemTime::now())
            }
            // Another content, and soon the old one again.
            8 | 9 if !content.broken => {
                self.put(plate, site, false)?;
                self.pause(200);
                self.write(plate, site, content)
            }
            10 if !content.broken => self.away_and_back(plate, site),
            _ if content.broken => self.put(plate, site, false),
            _ => self.finish_plate(plate),
        }
    }

    /// Everything is written, whole, and said to be finished.
    ///
    /// # Errors
    /// A file cannot be written.
    pub fn finish(&mut self) -> io::Result<()> {
        for plate in 0..self.plates.len() {
            for site in 0..self.plates[plate].sites.len() {
                if self.plates[plate].sites[site].is_none_or(|c| c.broken) {
                    self.put(plate, site, false)?;
                }
            }
            self.finish_plate(plate)?;
        }
        Ok(())
    }

    /// What must be in the results now: every plate with its sites, TIFF files and object counts.
    #[must_use]
    pub fn truth(&self) -> Value {
        let plate = |p: &Plate| {
            let site = |(index, content): (usize, &Option<Content>)| {
                let site = &sites(&self.spec)[index];
                let cells = content.map(|c| sites(&self.with(c.seed))[index].cells);
                json!({ "name": site.site, "file": format!("{}/{}", p.name, site.file), "cells": cells })
            };
            let sites: Vec<Value> = p.sites.iter().enumerate().map(site).collect();
            json!({ "name": p.name, "sites": sites })
        };
        json!(self.plates.iter().map(plate).collect::<Vec<_>>())
    }

    fn pick(&mut self, count: usize) -> usize {
        usize::try_from(self.random.below(count.max(1) as u64)).unwrap_or(0)
    }

    fn with(&self, seed: u64) -> PlateSpec {
        PlateSpec {
            seed,
            ..self.spec.clone()
        }
    }

    /// Some plates come site by site, some are moved in with several sites at once.
    fn new_plate(&mut self) -> io::Result<()> {
        let name = format!("plate-{}", self.plates.len() + 1);
        let all = sites(&self.spec).len();
        self.plates.push(Plate {
            name: name.clone(),
            sites: vec![None; all],
            finished: false,
        });
        if self.random.below(2) == 0 {
            return fs::create_dir(self.drop.join(&name));
        }
        let folder = self.aside.join(&name);
        fs::create_dir(&folder)?;
        let plate = self.plates.len() - 1;
        for site in 0..=self.pick(all) {
            let content = self.new_content(false);
            let file = &sites(&self.spec)[site].file;
            fs::write(folder.join(file), self.bytes(site, content)?)?;
            self.plates[plate].sites[site] = Some(content);
        }
        fs::rename(folder, self.drop.join(&name))
    }

    fn new_content(&mut self, broken: bool) -> Content {
        self.seeds += 1;
        Content {
            seed: self.seeds,
            broken,
        }
    }

    fn bytes(&self, site: usize, content: Content) -> io::Result<Vec<u8>> {
        let mut bytes = render(&self.with(content.seed), site)?;
        if content.broken {
            bytes.truncate(bytes.len() * 6 / 10);
        }
        Ok(bytes)
    }

    fn path(&self, plate: usize, site: usize) -> PathBuf {
        self.drop
            .join(&self.plates[plate].name)
            .join(&sites(&self.spec)[site].file)
    }

    fn put(&mut self, plate: usize, site: usize, broken: bool) -> io::Result<()> {
        let content = self.new_content(broken);
        self.write(plate, site, content)
    }

    /// Writes a file in one of the ways that instruments and copy programs have.
    fn write(&mut self, plate: usize, site: usize, content: Content) -> io::Result<()> {
        let bytes = self.bytes(site, content)?;
        let path = self.path(plate, site);
        match self.random.below(3) {
            0 => {
                self.in_two_halves(&path, &bytes)?;
            }
            1 => {
                let hidden = path.with_extension("tiff.part");
                self.in_two_halves(&hidden, &bytes)?;
                fs::rename(hidden, &path)?;
            }
            _ => {
                let aside = self.aside.join("file.tiff");
                fs::write(&aside, &bytes)?;
                fs::rename(aside, &path)?;
            }
        }
        self.plates[plate].sites[site] = Some(content);
        Ok(())
    }

    /// The old file comes back with all of its times but one.
    fn away_and_back(&mut self, plate: usize, site: usize) -> io::Result<()> {
        let path = self.path(plate, site);
        let kept = self.aside.join("kept.tiff");
        fs::rename(&path, &kept)?;
        let other = self.new_content(false);
        fs::write(&path, self.bytes(site, other)?)?;
        self.pause(200);
        fs::rename(kept, path)
    }

    fn in_two_halves(&mut self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let (first, second) = bytes.split_at(bytes.len() / 2);
        let mut file = File::create(path)?;
        file.write_all(first)?;
        self.pause(60);
        file.write_all(second)
    }

    fn finish_plate(&mut self, plate: usize) -> io::Result<()> {
        if !self.plates[plate].finished {
            let sentinel = self.drop.join(&self.plates[plate].name).join("FINISHED");
            fs::write(sentinel, "")?;
            self.plates[plate].finished = true;
        }
        Ok(())
    }

    /// Instruments pause; how long is part of what is tried.
    fn pause(&mut self, most_ms: u64) {
        std::thread::sleep(Duration::from_millis(self.random.below(most_ms)));
    }
}
