//! Plants faults, and sees which were reached.

use std::path::{Path, PathBuf};

use faults::{Plan, Point, Role};

/// The folder that `WELLSPRING_FAULTS` names.
#[derive(Clone, Debug)]
pub struct Plans {
    folder: PathBuf,
}

/// A fault that happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hit {
    /// Where.
    pub point: Point,
    /// To which process.
    pub role: Role,
    /// What.
    pub plan: Plan,
}

impl Plans {
    /// Makes the folder.
    ///
    /// # Panics
    /// It cannot be made.
    #[must_use]
    pub fn new(folder: PathBuf) -> Self {
        assert!(
            std::fs::create_dir(&folder).is_ok(),
            "cannot make {}",
            folder.display()
        );
        Self { folder }
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Plants a fault: the next process that comes there finds it. Returns how many faults happened before.
    ///
    /// # Panics
    /// It makes no sense there, or cannot be written.
    pub fn plant(&self, point: Point, plan: Plan) -> usize {
        let fails = matches!(plan.action, faults::Action::Enospc | faults::Action::Eio);
        assert!(
            point.writes() || !fails,
            "nothing is written at {}",
            point.name()
        );
        let before = self.hits().len();
        // Renamed into place: nobody may read half a plan.
        let (aside, file) = (self.folder.join(".plan"), self.folder.join(point.name()));
        let planted =
            std::fs::write(&aside, plan.to_string()).and_then(|()| std::fs::rename(&aside, &file));
        assert!(
            planted.is_ok(),
            "cannot plant {}: {planted:?}",
            file.display()
        );
        before
    }

    /// Lets a process go on that stands still at a point.
    ///
    /// # Panics
    /// It cannot be told.
    pub fn release(&self, point: Point) {
        let go = self.folder.join(format!("{}.go", point.name()));
        assert!(
            std::fs::write(go, "").is_ok(),
            "cannot release {}",
            point.name()
        );
    }

    /// Takes a fault back that did not happen. Returns whether it was still there.
    #[must_use]
    pub fn withdraw(&self, point: Point) -> bool {
        std::fs::remove_file(self.folder.join(point.name())).is_ok()
    }

    /// All faults that happened so far.
    ///
    /// # Panics
    /// A line cannot be understood.
    #[must_use]
    pub fn hits(&self) -> Vec<Hit> {
        let text = std::fs::read_to_string(self.folder.join(faults::HITS)).unwrap_or_default();
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        whole
            .lines()
            .map(|line| read(line).unwrap_or_else(|| panic!("not a hit: `{line}`")))
            .collect()
    }
}

/// `POINT ROLE PID PLAN`
fn read(line: &str) -> Option<Hit> {
    let mut words = line.splitn(4, ' ');
    let (point, role, _pid, plan) = (words.next()?, words.next()?, words.next()?, words.next()?);
    Some(Hit {
        point: *Point::ALL.iter().find(|p| p.name() == point)?,
        role: [Role::Worker, Role::Daemon]
            .into_iter()
            .find(|r| r.as_str() == role)?,
        plan: plan.parse().ok()?,
    })
}
