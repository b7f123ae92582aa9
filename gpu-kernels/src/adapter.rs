//! What is known of an adapter, and the choice among several.

use serde::Serialize;

/// The kind of device behind an adapter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DeviceKind {
    /// Software on the CPU (llvmpipe): correct, and slower than the CPU path.
    Software,
    /// Not told by the driver.
    Other,
    /// Part of a virtual machine.
    Virtual,
    /// Shares the memory of the CPU.
    Integrated,
    /// A card of its own.
    Discrete,
}

/// One adapter.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AdapterInfo {
    /// Name as the driver gives it.
    pub name: String,
    /// Kind of device.
    pub kind: DeviceKind,
    /// Driver and version.
    pub driver: String,
    /// Programming interface, for example `Vulkan`.
    pub backend: String,
    /// Largest buffer that a kernel can bind, in bytes.
    pub max_binding_bytes: u64,
    /// Largest buffer, in bytes.
    pub max_buffer_bytes: u64,
}

/// The adapter that a configured `workers.gpu` means: `off` none; `auto` the fastest kind that is not software; a name the first
/// adapter whose name contains it, software included.
#[must_use]
pub fn choose<'a>(adapters: &'a [AdapterInfo], wanted: &str) -> Option<&'a AdapterInfo> {
    match wanted {
        "off" => None,
        "auto" => adapters
            .iter()
            .filter(|a| a.kind != DeviceKind::Software)
            .max_by_key(|a| a.kind),
        name => adapters
            .iter()
            .find(|a| a.name.to_lowercase().contains(&name.to_lowercase())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn adapter(name: &str, kind: DeviceKind) -> AdapterInfo {
        AdapterInfo {
            name: name.into(),
            kind,
            driver: String::new(),
            backend: "Vulkan".into(),
            max_binding_bytes: 1,
            max_buffer_bytes: 1,
        }
    }

    #[test]
    fn auto_never_means_software() {
        let software = [adapter("llvmpipe", DeviceKind::Software)];
        assert_eq!(choose(&software, "auto"), None);
        assert_eq!(
            choose(&software, "LLVM").map(|a| a.name.as_str()),
            Some("llvmpipe")
        );
        let both = [
            adapter("Intel", DeviceKind::Integrated),
            adapter("RTX", DeviceKind::Discrete),
            software[0].clone(),
        ];
        assert_eq!(choose(&both, "auto").map(|a| a.name.as_str()), Some("RTX"));
        assert_eq!(choose(&both, "off"), None);
    }
}
