//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::commands::export::ExportCommand;

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
    Worker(WorkerOptions),
    /// Hold the GPU and compute for the workers that ask on the socket behind stdin; started by the daemon.
    #[command(hide = true)]
    Gpu(GpuOptions),
    /// Read containers for the pages, as asked on stdin; started by the daemon.
    #[command(hide = true)]
    Render,
    /// Run one program for a worker; started by it.
    #[command(hide = true)]
    Guard,
    /// Run a workflow over a folder once, without a daemon.
    Run(RunOptions),
    /// Check this machine: file systems, limits, disk space, GPU, HDF5.
    Doctor(DoctorOptions),
    /// Show what is in an HDF5 file or an N5 folder.
    Inspect(InspectOptions),
    /// Take results out, without a daemon: tables as files, or into a database.
    #[command(subcommand)]
    Export(ExportCommand),
    /// Run ilastik projects on files, without ilastik.
    #[command(subcommand)]
    Ilastik(IlastikCommand),
    /// Try naming schemes on a folder.
    #[command(subcommand)]
    Names(NamesCommand),
    /// Check workflow files, list job kinds.
    #[command(subcommand)]
    Workflow(WorkflowCommand),
    /// Check neural networks, list the engines that run them.
    #[command(subcommand)]
    Model(ModelCommand),
    /// Send a test message to those who are told what becomes of the plates.
    #[command(subcommand)]
    Notify(NotifyCommand),
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

/// What runs neural networks.
#[derive(Args, Clone, Debug)]
pub struct EngineOptions {
    /// An onnxruntime library (libonnxruntime.so) to run neural networks with, instead of the built-in engine.
    #[arg(long, env = "WELLSPRING_WORKERS__ONNXRUNTIME", value_name = "LIBRARY")]
    pub onnxruntime: Option<PathBuf>,
}

/// Options of `worker`.
#[derive(Args, Debug)]
pub struct WorkerOptions {
    /// The engine of neural networks.
    #[command(flatten)]
    pub engine: EngineOptions,
    /// Where the GPU's process is asked.
    #[arg(long)]
    pub gpu_socket: Option<PathBuf>,
    /// Wait until the GPU is open, instead of computing without it meanwhile.
    #[arg(long)]
    pub gpu_wait: bool,
}

/// Options of `gpu`.
#[derive(Args, Debug)]
pub struct GpuOptions {
    /// `auto`, or a part of the adapter's name.
    #[arg(long, default_value = "auto")]
    pub adapter: String,
    /// Where compiled kernels and measurements are kept.
    #[arg(long)]
    pub cache: Option<PathBuf>,
    /// Print the adapters as JSON, and end.
    #[arg(long)]
    pub list: bool,
    /// Measure the device, print the result as JSON, and end.
    #[arg(long)]
    pub measure: bool,
}

/// Neural networks.
#[derive(Debug, Subcommand)]
pub enum ModelCommand {
    /// Show what an ONNX file and its sidecar hold, and try the network on a test image.
    Check(ModelCheckOptions),
    /// List the engines: the built-in one, and the onnxruntime library if one is named.
    Engines {
        /// The engine.
        #[command(flatten)]
        engine: EngineOptions,
    },
}

/// Options of `model check`.
#[derive(Args, Debug)]
pub struct ModelCheckOptions {
    /// The ONNX file.
    pub file: PathBuf,
    /// The sidecar; by default the one beside the file.
    #[arg(long)]
    pub sidecar: Option<PathBuf>,
    /// Threads of the test prediction; by default one a core.
    #[arg(long)]
    pub threads: Option<std::num::NonZeroUsize>,
    /// Height and width of the test image.
    #[arg(long, default_value_t = 512, value_parser = clap::value_parser!(u32).range(8..=8192))]
    pub size: u32,
    /// The engine.
    #[command(flatten)]
    pub engine: EngineOptions,
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
    /// The engine of neural networks.
    #[command(flatten)]
    pub engine: EngineOptions,
    /// Compute everything again, whatever is there.
    #[arg(long, short)]
    pub force: bool,
    /// Compute this job again, and what depends on it; can be given several times.
    #[arg(long, value_name = "JOB")]
    pub force_job: Vec<String>,
    /// Images that cannot be used are left out: they do not make the run fail, and are not tried again until they change.
    #[arg(long)]
    pub ignore_invalid_inputs: bool,
    /// Tasks that fail for another reason do not make the run fail, and those of an earlier run are not tried again.
    #[arg(long)]
    pub ignore_failed_outputs: bool,
    /// Write BatchLib's status and log files into `batchlib/` in each plate's results.
    #[arg(long)]
    pub status_files: bool,
    /// Only say what would run, and why.
    #[arg(long, short = 'd')]
    pub dry_run: bool,
    /// Longest time of one attempt in seconds.
    #[arg(long, default_value_t = 3600)]
    pub time_limit: u64,
    /// The GPU: `auto` uses one where it is faster, a part of an adapter's name always uses that one, `off` none.
    #[arg(long, env = "WELLSPRING_WORKERS__GPU", default_value = "auto")]
    pub gpu: config::Gpu,
}

/// Options of `doctor`.
#[derive(Args, Debug)]
pub struct DoctorOptions {
    /// Configuration file; without one only the machine is checked.
    #[arg(long, short, env = "WELLSPRING_CONFIG")]
    pub config: Option<PathBuf>,
    /// The GPU to look at instead of the configured one: `auto`, `off`, or a part of an adapter's name.
    #[arg(long, env = "WELLSPRING_WORKERS__GPU")]
    pub gpu: Option<config::Gpu>,
    /// More folders to check.
    pub folders: Vec<PathBuf>,
}

/// Commands on ilastik projects.
#[derive(Debug, Subcommand)]
pub enum IlastikCommand {
    /// Show what is in a project: labels, features, forests, and whether it can run.
    Info {
        /// The project, an .ilp file.
        project: PathBuf,
    },
    /// Predict files; takes the options of `ilastik --headless`.
    ///
    /// What is not given is taken from the export settings that are saved in the project, as ilastik does. A file that cannot be
    /// predicted is told and left out; the exit code is then 1.
    Predict(Box<IlastikPredict>),
}

/// Options of `ilastik predict`, named as ilastik names them.
#[derive(Args, Debug)]
pub struct IlastikPredict {
    /// The project, an .ilp file.
    #[arg(long, value_name = "FILE")]
    pub project: PathBuf,
    /// Images: TIFF, PNG, npy, or HDF5 as FILE.h5/PATH/OF/DATASET.
    #[arg(long = "raw_data", alias = "raw-data", num_args = 1.., value_name = "FILE")]
    pub raw_data: Vec<String>,
    /// Images, without --raw_data.
    #[arg(value_name = "FILE")]
    pub files: Vec<String>,
    /// One mask an image: the result is 0 where the mask is.
    #[arg(long = "prediction_mask", alias = "prediction-mask", num_args = 1.., value_name = "FILE")]
    pub prediction_mask: Vec<String>,
    /// Probabilities, Simple Segmentation, Uncertainty, Features; of Autocontext also Probabilities Stage 1, Probabilities Stage 2,
    /// Probabilities All Stages.
    #[arg(
        long = "export_source",
        alias = "export-source",
        default_value = "Probabilities"
    )]
    pub export_source: String,
    /// hdf5, compressed hdf5, numpy, tif, tiff or multipage tiff [default: the project's, or compressed hdf5].
    #[arg(long = "output_format", alias = "output-format")]
    pub output_format: Option<String>,
    /// Where results go, with {dataset_dir}, {nickname} and {result_type} [default: the project's, or
    /// {dataset_dir}/{nickname}_{result_type}].
    #[arg(long = "output_filename_format", alias = "output-filename-format")]
    pub output_filename_format: Option<String>,
    /// Dataset in an HDF5 result [default: the project's, or exported_data].
    #[arg(long = "output_internal_path", alias = "output-internal-path")]
    pub output_internal_path: Option<String>,
    /// Type of the result's values: uint8, uint16, uint32, int8, int16, int32, float32 or float64.
    #[arg(long = "export_dtype", alias = "export-dtype")]
    pub export_dtype: Option<String>,
    /// Range of the result, for example "(0.0,1.0)", that becomes --export_drange.
    #[arg(long = "pipeline_result_drange", alias = "pipeline-result-drange")]
    pub pipeline_result_drange: Option<String>,
    /// Range of the exported values, for example "(0,255)".
    #[arg(long = "export_drange", alias = "export-drange")]
    pub export_drange: Option<String>,
    /// Order of the result's axes, for example zcyx [default: as the input, channels last].
    #[arg(long = "output_axis_order", alias = "output-axis-order")]
    pub output_axis_order: Option<String>,
    /// Axes of the inputs, for example zyx [default: as the file says, else as the training image, else by their number].
    #[arg(long = "input_axes", alias = "input-axes")]
    pub input_axes: Option<String>,
    /// Part of the result, in its axes: "[(0,100,100,0),(1,200,200,2)]"; None for a whole axis.
    #[arg(long = "cutout_subregion", alias = "cutout-subregion")]
    pub cutout_subregion: Option<String>,
    /// Axes of the training image are not assumed of inputs that do not name theirs.
    #[arg(long = "ignore_training_axistags", alias = "ignore-training-axistags")]
    pub ignore_training_axistags: bool,
    /// Threads [default: one a core].
    #[arg(long, env = "LAZYFLOW_THREADS")]
    pub threads: Option<usize>,
    /// The GPU: `auto` the best one if there is one, or a part of an adapter's name; `off` computes on the CPU, where the result is
    /// ilastik's bit for bit.
    #[arg(long, default_value = "off")]
    pub gpu: config::Gpu,
    /// Taken so that scripts for ilastik need no change; a project is never written to.
    #[arg(long, hide = true)]
    pub readonly: bool,
    /// Taken so that scripts for ilastik need no change.
    #[arg(long, hide = true)]
    pub headless: bool,
}

/// Options of `inspect`.
#[derive(Args, Debug)]
pub struct InspectOptions {
    /// The file, or the folder `*.n5`.
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

/// Options of `export postgres`.
#[derive(Args, Debug)]
pub struct PostgresArgs {
    /// Folders with the results of plates.
    #[arg(required = true, value_name = "PLATE_FOLDER")]
    pub plates: Vec<PathBuf>,
    /// File with the address of the database on its first line: postgres://user:password@host/database. Only you should be able to
    /// read it.
    #[arg(long, value_name = "FILE", required_unless_present = "dry_run")]
    pub url_file: Option<PathBuf>,
    /// Schema of the tables; made if it is not there.
    #[arg(long, default_value = "wellspring")]
    pub schema: String,
    /// The tables of objects, too.
    #[arg(long)]
    pub objects: bool,
    /// Name of the workflow, where the file does not say which one made it.
    #[arg(long)]
    pub workflow: Option<String>,
    /// Version of the workflow, where the file does not say it.
    #[arg(long)]
    pub workflow_version: Option<String>,
    /// Only say what would be written; connects to nothing.
    #[arg(long, short = 'd')]
    pub dry_run: bool,
}

/// Those who are told.
#[derive(Debug, Subcommand)]
pub enum NotifyCommand {
    /// Send a test message, and say who was not reached and why.
    Test {
        /// Only to this one; by default to all.
        name: Option<String>,
        /// Configuration file.
        #[arg(
            long,
            short,
            env = "WELLSPRING_CONFIG",
            default_value = "/etc/wellspring/wellspring.toml"
        )]
        config: PathBuf,
    },
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
