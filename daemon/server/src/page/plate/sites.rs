//! The sites of wells, with their pictures.

use std::collections::BTreeMap;

use queue::SiteSummary;

use super::contrast::Contrast;
use crate::selection::Selection;

/// Sites of selected wells that are shown.
const SITES: usize = 96;

/// Longest side of a picture in the grid, in pixels: twice what it is shown with, for dense screens.
const IN_GRID: u32 = 128;

/// Longest side of the picture of a selected site.
const SELECTED: u32 = 320;

/// A picture of each well.
pub(super) struct Pictures {
    /// Addresses by the name of the well.
    pub by_well: BTreeMap<String, String>,
    /// Most sites of a well.
    pub most: usize,
}

/// A site of a selected well.
pub(super) struct SiteItem {
    pub name: String,
    pub address: String,
    /// Address of its picture; none before its container is published.
    pub picture: Option<String>,
    pub has_failed: bool,
}

/// An address that changes when the container does, so that browsers need not ask for it again.
fn picture(site: &SiteSummary, size: u32, contrast: Option<&Contrast>) -> Option<String> {
    site.has_container.then(|| {
        let address = format!(
            "/api/v1/image-sets/{}/preview?size={size}&format=jpeg&v={}",
            site.id,
            site.updated_at.as_millisecond()
        );
        match contrast {
            Some(contrast) => format!("{address}&{}", contrast.query),
            None => address,
        }
    })
}

/// The pictures of each well's `number`-th site, counted from 1.
pub(super) fn pictures(
    sites: &[SiteSummary],
    number: usize,
    contrast: Option<&Contrast>,
) -> Pictures {
    let mut by_well = BTreeMap::new();
    let mut most = 0;
    for sites in sites.chunk_by(|one, other| one.well == other.well) {
        most = most.max(sites.len());
        let well = sites.first().and_then(|site| site.well.clone());
        let site = sites.get(number.max(1) - 1);
        if let (Some(well), Some(picture)) =
            (well, site.and_then(|site| picture(site, IN_GRID, contrast)))
        {
            by_well.insert(well, picture);
        }
    }
    Pictures { by_well, most }
}

/// The sites of the selected wells, and whether these are not all.
pub(super) fn sites(
    sites: &[SiteSummary],
    selected: &Selection,
    plate: i64,
    contrast: Option<&Contrast>,
) -> (Vec<SiteItem>, bool) {
    let mut chosen = sites
        .iter()
        .filter(|site| site.well.as_deref().is_some_and(|well| selected.has(well)));
    let items = chosen
        .by_ref()
        .take(SITES)
        .map(|site| SiteItem {
            name: site.name.clone(),
            address: format!("/plates/{plate}/sites/{}", site.id),
            picture: picture(site, SELECTED, contrast),
            has_failed: site.has_failed,
        })
        .collect();
    (items, chosen.next().is_some())
}
