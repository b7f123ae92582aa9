//! Texts that people write, and names of files.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::OnceLock;

use config::{DaemonConfig, LoadOptions, WorkflowFile};
use plate::{ChannelMapping, NamingScheme, Verdict};

use super::{put, with_folder};

/// The first line is a scheme as people configure it, the rest is the path of a file, read with that scheme and all presets.
pub(super) fn naming(input: &[u8]) {
    let end = input.iter().position(|byte| *byte == b'\n');
    let (scheme, path) = input.split_at(end.unwrap_or(input.len()));
    let path = Path::new(OsStr::from_bytes(path.get(1..).unwrap_or_default()));
    static PRESETS: OnceLock<Vec<NamingScheme>> = OnceLock::new();
    let presets = PRESETS.get_or_init(|| {
        let presets = plate::presets().iter();
        presets
            .filter_map(|preset| NamingScheme::preset(preset.name).ok())
            .collect()
    });
    let own = NamingScheme::from_config(&String::from_utf8_lossy(scheme));
    for scheme in own.iter().chain(presets) {
        match scheme.parse(path) {
            Verdict::Image(name) => {
                // Results go to a folder that mirrors the acquisition's: it must lie where the file lies.
                assert!(path.starts_with(&name.acquisition), "{name:?}");
                assert!(!name.channels.is_empty(), "{name:?}");
                let text = serde_json::to_string(&name).unwrap_or_default();
                assert_eq!(
                    serde_json::from_str::<plate::ParsedName>(&text).ok(),
                    Some(name)
                );
            }
            Verdict::Ignored(rule) => assert!(!rule.is_empty()),
            Verdict::Unmatched(why) => assert!(!why.is_empty()),
        }
    }
}

/// A `channel_mapping.json`.
pub(super) fn mapping(input: &[u8]) {
    let path = Path::new("plate/channel_mapping.json");
    match ChannelMapping::parse(path, input) {
        Ok(mapping) => {
            let text = serde_json::to_vec(&mapping).unwrap_or_default();
            assert_eq!(ChannelMapping::parse(path, &text).ok(), Some(mapping));
        }
        Err(error) => {
            assert!(error.to_string().contains("channel_mapping.json"));
            assert!(!error.remedy().is_empty());
        }
    }
}

/// A daemon's configuration.
pub(super) fn config(input: &[u8]) {
    with_folder(|folder| {
        let path = folder.join("wellspring.toml");
        put(&path, input);
        match DaemonConfig::load(LoadOptions::new().file(&path)) {
            Ok(loaded) => {
                // What is shown can be read again.
                let text = toml::to_string(&loaded.config).unwrap_or_default();
                assert_eq!(
                    toml::from_str::<DaemonConfig>(&text).ok(),
                    Some(loaded.config)
                );
            }
            Err(error) => assert!(!error.to_string().is_empty()),
        }
    });
}

/// A workflow, up to the graph of its jobs.
pub(super) fn workflow(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    match WorkflowFile::from_str(&text, Path::new("/nonexistent")) {
        Ok(file) => {
            let sent = serde_json::to_string(&file).unwrap_or_default();
            let received = serde_json::from_str::<WorkflowFile>(&sent).ok();
            assert_eq!(
                received.map(|file| file.to_canonical_json()),
                Some(file.to_canonical_json())
            );
            if let Err(mistakes) = workflow::Workflow::compile(&file) {
                assert!(mistakes.iter().all(|mistake| !mistake.message.is_empty()));
            }
        }
        Err(error) => assert!(!error.to_string().is_empty()),
    }
}
