//! What is to happen at a point: the content of a plan file.

use std::fmt;
use std::str::FromStr;

/// What happens at a point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// The process kills itself with SIGKILL.
    Kill,
    /// A worker kills the daemon, then itself, both with SIGKILL.
    KillDaemon,
    /// The process stands still until it is killed.
    Hang,
    /// The process stands still until a file `<point>.go` is in the folder of plans, which it removes.
    Hold,
    /// The write fails: the disk is full.
    Enospc,
    /// The write fails: the device reports an error.
    Eio,
}

/// Which process is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// The process that runs `wellspring worker`.
    Worker,
    /// Any other.
    Daemon,
}

/// A plan: `ACTION [after N] [in worker|daemon]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Plan {
    /// What happens.
    pub action: Action,
    /// How often the point is passed before.
    pub after: u32,
    /// Only in such a process.
    pub role: Option<Role>,
}

/// A plan that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake(String);

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`{}` is no plan: write `ACTION [after N] [in worker|daemon]` with kill, kill-daemon, hang, hold, enospc or eio",
            self.0
        )
    }
}

impl std::error::Error for Mistake {}

const ACTIONS: [(Action, &str); 6] = [
    (Action::Kill, "kill"),
    (Action::KillDaemon, "kill-daemon"),
    (Action::Hang, "hang"),
    (Action::Hold, "hold"),
    (Action::Enospc, "enospc"),
    (Action::Eio, "eio"),
];

const ROLES: [(Role, &str); 2] = [(Role::Worker, "worker"), (Role::Daemon, "daemon")];

impl Action {
    /// As a plan writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        ACTIONS
            .iter()
            .find(|(action, _)| *action == self)
            .map_or("", |(_, word)| word)
    }
}

impl Role {
    /// As a plan writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        ROLES
            .iter()
            .find(|(role, _)| *role == self)
            .map_or("", |(_, word)| word)
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.action.as_str())?;
        if self.after > 0 {
            write!(f, " after {}", self.after)?;
        }
        match self.role {
            Some(role) => write!(f, " in {}", role.as_str()),
            None => Ok(()),
        }
    }
}

impl FromStr for Plan {
    type Err = Mistake;

    fn from_str(text: &str) -> Result<Self, Mistake> {
        let mistake = || Mistake(text.trim().to_owned());
        let mut words = text.split_whitespace();
        let action = words.next().ok_or_else(mistake)?;
        let (action, _) = ACTIONS
            .iter()
            .find(|(_, word)| *word == action)
            .ok_or_else(mistake)?;
        let mut plan = Self {
            action: *action,
            after: 0,
            role: None,
        };
        while let Some(word) = words.next() {
            let value = words.next().ok_or_else(mistake)?;
            match word {
                "after" => plan.after = value.parse().map_err(|_| mistake())?,
                "in" => {
                    let (role, _) = ROLES
                        .iter()
                        .find(|(_, word)| *word == value)
                        .ok_or_else(mistake)?;
                    plan.role = Some(*role);
                }
                _ => return Err(mistake()),
            }
        }
        Ok(plan)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        for (action, _) in ACTIONS {
            for after in [0, 3] {
                for role in [None, Some(Role::Worker), Some(Role::Daemon)] {
                    let plan = Plan {
                        action,
                        after,
                        role,
                    };
                    assert_eq!(plan.to_string().parse(), Ok(plan));
                }
            }
        }
    }

    #[test]
    fn nonsense_is_refused() {
        for text in [
            "",
            "explode",
            "kill after",
            "kill after x",
            "kill in kitchen",
            "kill soon 3",
        ] {
            assert!(text.parse::<Plan>().is_err(), "{text}");
        }
    }
}
