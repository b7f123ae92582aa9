//! What is known of an adapter, and the choice among several.

use serde::{Deserialize, Serialize};

/// The kind of device behind an adapter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AdapterInfo {
    /// Name as the driver gives it.
    pub name: String,
    /// Kind of device.
    pub kind: DeviceKind,
    /// Driver and version.
    pub driver: String,
    /// Programming interface, for example `Vulkan`.
    pub backend: String,
    /// Where the device sits (PCI), if the driver tells: two drivers may offer the same one.
    pub bus: String,
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
            // Of several the first.
            .rev()
            .max_by_key(|a| a.kind),
        name => adapters
            .iter()
            .find(|a| a.name.to_lowercase().contains(&name.to_lowercase())),
    }
}

/// All adapters that a configured `workers.gpu` means, the one of [`choose`] first: several cards of the fastest kind, or of the same
/// name. A device that two drivers offer is there once.
#[must_use]
pub fn choose_all<'a>(adapters: &'a [AdapterInfo], wanted: &str) -> Vec<&'a AdapterInfo> {
    let Some(first) = choose(adapters, wanted) else {
        return Vec::new();
    };
    let mut chosen = vec![first];
    for adapter in adapters {
        let meant = match wanted {
            "auto" => adapter.kind == first.kind,
            name => choose(std::slice::from_ref(adapter), name).is_some(),
        };
        // Without a place of its own a device cannot be told from one that is there already.
        let new = !adapter.bus.is_empty() && chosen.iter().all(|c| c.bus != adapter.bus);
        if meant && new {
            chosen.push(adapter);
        }
    }
    chosen
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
            bus: String::new(),
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

    #[test]
    fn several_cards_are_all_used_each_once() {
        let at = |name: &str, kind, bus: &str| AdapterInfo {
            bus: bus.into(),
            ..adapter(name, kind)
        };
        let adapters = [
            at("Intel", DeviceKind::Integrated, "0"),
            at("RTX", DeviceKind::Discrete, "1"),
            at("RTX (other driver)", DeviceKind::Discrete, "1"),
            at("RTX", DeviceKind::Discrete, "2"),
            at("unknown place", DeviceKind::Discrete, ""),
        ];
        let buses = |wanted| {
            let chosen = choose_all(&adapters, wanted);
            chosen.iter().map(|a| a.bus.as_str()).collect::<Vec<_>>()
        };
        assert_eq!(buses("auto"), ["1", "2"]);
        assert_eq!(buses("rtx"), ["1", "2"]);
        assert_eq!(buses("intel"), ["0"]);
        assert!(buses("off").is_empty() && buses("AMD").is_empty());
    }
}
