//! Adapters through wgpu.

use crate::adapter::{AdapterInfo, DeviceKind};

/// The programming interface with its drivers; `None` where none is compiled in.
pub(crate) fn instance() -> Option<wgpu::Instance> {
    // Without a compiled backend `Instance::new` panics instead of saying so.
    if wgpu::Instance::enabled_backend_features().is_empty() {
        return None;
    }
    Some(wgpu::Instance::new(wgpu::InstanceDescriptor {
        backends: wgpu::Backends::VULKAN,
        ..wgpu::InstanceDescriptor::new_without_display_handle()
    }))
}

pub(crate) fn enumerate(instance: &wgpu::Instance) -> Vec<wgpu::Adapter> {
    pollster::block_on(instance.enumerate_adapters(wgpu::Backends::all()))
}

pub(crate) fn adapters() -> Vec<AdapterInfo> {
    let Some(instance) = instance() else {
        return Vec::new();
    };
    enumerate(&instance).iter().map(describe).collect()
}

pub(crate) fn describe(adapter: &wgpu::Adapter) -> AdapterInfo {
    let info = adapter.get_info();
    let limits = adapter.limits();
    AdapterInfo {
        name: info.name,
        kind: match info.device_type {
            wgpu::DeviceType::Cpu => DeviceKind::Software,
            wgpu::DeviceType::DiscreteGpu => DeviceKind::Discrete,
            wgpu::DeviceType::IntegratedGpu => DeviceKind::Integrated,
            wgpu::DeviceType::VirtualGpu => DeviceKind::Virtual,
            wgpu::DeviceType::Other => DeviceKind::Other,
        },
        driver: format!("{} {}", info.driver, info.driver_info)
            .trim()
            .to_owned(),
        backend: format!("{:?}", info.backend),
        bus: info.device_pci_bus_id,
        max_binding_bytes: limits.max_storage_buffer_binding_size,
        max_buffer_bytes: limits.max_buffer_size,
    }
}
