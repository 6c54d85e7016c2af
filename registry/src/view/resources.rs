//! Which grants cover a resource.

/// The resources whose grant covers this one, the narrowest first: itself, then each `/*` above
/// it, then `*`.
pub(super) fn covering(resource: &str) -> Vec<String> {
    let mut patterns = vec![resource.to_owned()];
    let mut path = resource.strip_suffix("/*").unwrap_or(resource);
    while let Some((above, _)) = path.rsplit_once('/') {
        patterns.push(format!("{above}/*"));
        path = above;
    }
    if resource != "*" {
        patterns.push("*".to_owned());
    }
    patterns
}
