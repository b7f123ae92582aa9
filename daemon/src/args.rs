//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// A build for tests says so: nobody should run it on data.
pub const VERSION: &str = if faults::ENABLED {
    concat!(
        env!("CARGO_PKG_VERSION"),
        " (fault injection compiled in: for tests only)"
    )
} else {
    env!("CARGO_PKG_VERSION")
};

/// Watches acquisition folders, processes their images, and serves the results.
#[derive(Debug, Parser)]
#[command(
    name = "wellspring",
    version = VERSION,
    max_term_width = 100,
    arg_required_else_help = true
)]
#[command(
    after_help = "Examples:\n  wellspring serve --config wellspring.toml      run the daemon\n  wellspring run workflow.toml plate/ -o results/  process one folder, without a daemon\n  wellspring status                              what the daemon is doing\n  wellspring tasks requeue --failed              try the failed tasks again"
)]
pub struct Arguments {
    /// Options of the commands that talk to the daemon.
    #[command(flatten)]
    pub client: cli::ClientOptions,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the daemon.
    Serve(ServeOptions),
    /// Serve passes on stdin; started by the daemon.
    #[command(hide = true)]
    Worker,
    /// Run one program for a worker; started by it.
    #[command(hide = true)]
    Guard,
    /// Run a workflow over a folder once, without a daemon.
    Run(RunOptions),
    /// Check this machine: file systems, limits, disk space, GPU, HDF5.
    Doctor(DoctorOptions),
    /// Show what is in an HDF5 file.
    Inspect(InspectOptions),
    /// Try naming schemes on a folder.
    #[command(subcommand)]
    Names(NamesCommand),
    /// Check workflow files, list job kinds.
    #[command(subcommand)]
    Workflow(WorkflowCommand),
    /// Make, check and show the configuration.
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Print shell completions.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Print the manual page, or write all of them.
    Man {
        /// Folder to write one page a command to.
        #[arg(long)]
        dir: Option<PathBuf>,
    },
    /// Commands of the client.
    #[command(flatten)]
    Client(cli::ClientCommand),
}

/// Options of `serve`.
#[derive(Args, Debug)]
pub struct ServeOptions {
    /// Address to listen on, instead of the configured one.
    #[arg(long)]
    pub listen: Option<String>,
    /// Folder of the queue, instead of the configured one.
    #[arg(long)]
    pub state_dir: Option<PathBuf>,
    /// Configuration file.
    #[arg(
        long,
        short,
        env = "WELLSPRING_CONFIG",
        default_value = "/etc/wellspring/wellspring.toml"
    )]
    pub config: PathBuf,
}

/// Options of `run`.
#[derive(Args, Debug)]
pub struct RunOptions {
    /// Workflow file.
    pub workflow: PathBuf,
    /// Folder with the images.
    pub folder: PathBuf,
    /// Folder for the results; made if it is not there.
    #[arg(long, short)]
    pub output: PathBuf,
    /// Naming scheme: a preset or a regular expression; by default the preset that reads most files.
    #[arg(long, short)]
    pub naming: Option<String>,
    /// Worker processes; by default one a core.
    #[arg(long, short)]
    pub workers: Option<usize>,
    /// Threads of each worker.
    #[arg(long)]
    pub threads: Option<usize>,
    /// Compute everything again, whatever is there.
    #[arg(long, short)]
    pub force: bool,
    /// Files that cannot be read do not make the run fail; they are left out.
    #[arg(long)]
    pub ignore_invalid_inputs: bool,
    /// Failed tasks do not make the run fail, and those of an earlier run are not tried again.
    #[arg(long)]
    pub ignore_failed_outputs: bool,
    /// Only say what would run, and why.
    #[arg(long, short = 'd')]
    pub dry_run: bool,
    /// Longest time of one attempt in seconds.
    #[arg(long, default_value_t = 3600)]
    pub time_limit: u64,
}

/// Options of `doctor`.
#[derive(Args, Debug)]
pub struct DoctorOptions {
    /// Configuration file; without one only the machine is checked.
    #[arg(long, short, env = "WELLSPRING_CONFIG")]
    pub config: Option<PathBuf>,
    /// More folders to check.
    pub folders: Vec<PathBuf>,
}

/// Options of `inspect`.
#[derive(Args, Debug)]
pub struct InspectOptions {
    /// The file.
    pub file: PathBuf,
    /// Print this table, for example `images/default`.
    #[arg(long, short)]
    pub table: Option<String>,
}

/// Naming schemes.
#[derive(Debug, Subcommand)]
pub enum NamesCommand {
    /// Show what a scheme reads from the names in a folder, what it does not, and the plate map.
    Test {
        /// The folder.
        folder: PathBuf,
        /// A preset or a regular expression; by default the preset that reads most files.
        #[arg(long, short)]
        naming: Option<String>,
    },
    /// List the presets.
    Presets,
    /// Say which preset fits a folder best.
    Guess {
        /// The folder.
        folder: PathBuf,
    },
}

/// Workflow files.
#[derive(Debug, Subcommand)]
pub enum WorkflowCommand {
    /// Check a workflow file and show its jobs in order.
    Check {
        /// The file.
        file: PathBuf,
    },
    /// List the job kinds with their inputs, outputs and parameters.
    Kinds {
        /// Only this kind.
        kind: Option<String>,
    },
    /// Print the JSON schema of workflow files.
    Schema,
}

/// The configuration.
#[derive(Debug, Subcommand)]
pub enum ConfigCommand {
    /// Print a commented configuration with every option.
    Init,
    /// Check a configuration file and the workflows it names.
    Check {
        /// The file.
        #[arg(
            long,
            short,
            env = "WELLSPRING_CONFIG",
            default_value = "/etc/wellspring/wellspring.toml"
        )]
        config: PathBuf,
    },
    /// Print every value and where it comes from.
    Show {
        /// The file.
        #[arg(
            long,
            short,
            env = "WELLSPRING_CONFIG",
            default_value = "/etc/wellspring/wellspring.toml"
        )]
        config: PathBuf,
    },
    /// Print the JSON schema of the configuration.
    Schema,
}
