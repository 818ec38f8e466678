//! Which format documents have, and where it names images.

use serde_json::Value;
use tagwarden_model::api::PasteFormat;

use super::Found;

/// Objects in lists of lists of lists are from no cluster.
const DEEPEST_LIST: usize = 4;

/// Takes what the documents name; `None` if they are of no format that is known.
pub fn collect(documents: &[Value], found: &mut Found) -> Option<PasteFormat> {
    let mut format = None;
    for document in documents {
        format = of_one(document, found).or(format);
    }
    format
}

fn of_one(document: &Value, found: &mut Found) -> Option<PasteFormat> {
    if let Some(services) = document.get("services").and_then(Value::as_object) {
        for (name, service) in services {
            image(service.get("image"), &format!("services.{name}.image"), found);
        }
        return Some(PasteFormat::Compose);
    }
    if let Some(kind) = document.get("kind").and_then(Value::as_str) {
        kubernetes(document, kind, DEEPEST_LIST, found);
        return Some(PasteFormat::Kubernetes);
    }
    if let Some(providers) = document.get("providers").and_then(Value::as_object) {
        let lists = providers.iter().filter_map(|(name, provider)| Some((name, provider.as_array()?)));
        let before = found.items.len();
        for (name, list) in lists {
            entries(list, &format!("providers.{name}"), found);
        }
        if found.items.len() == before {
            let reason = "Diun keeps the names of images in the files that providers.file names: paste these";
            found.unread("", "providers", reason.to_owned());
        }
        return Some(PasteFormat::Diun);
    }
    let list = document.as_array()?;
    if list.iter().any(|entry| entry.get("name").is_some_and(Value::is_string)) {
        entries(list, "entry", found);
        return Some(PasteFormat::Diun);
    }
    let names = list.iter().enumerate().filter_map(|(at, entry)| Some((at, entry.as_str()?)));
    let before = (found.items.len(), found.unread.len());
    names.for_each(|(at, name)| found.image(name, &format!("entry {}", at + 1)));
    (before != (found.items.len(), found.unread.len())).then_some(PasteFormat::Names)
}

/// Diun's list: `- name: docker.io/library/nginx:1.27`.
fn entries(list: &[Value], place: &str, found: &mut Found) {
    for (at, entry) in list.iter().enumerate() {
        let place = format!("{place} {}", at + 1);
        match entry.get("name") {
            Some(name) => image(Some(name), &place, found),
            None => found.unread("", &place, "it has no name".to_owned()),
        }
    }
}

fn kubernetes(object: &Value, kind: &str, deeper: usize, found: &mut Found) {
    let name = object.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default();
    let pod = match kind {
        "Pod" => object.get("spec"),
        "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" | "ReplicationController" | "Job" => {
            object.pointer("/spec/template/spec")
        }
        "CronJob" => object.pointer("/spec/jobTemplate/spec/template/spec"),
        "PodTemplate" => object.pointer("/template/spec"),
        _ => {
            let Some(kind_of_items) = kind.strip_suffix("List") else { return };
            let items = object.get("items").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
            if deeper == 0 && !items.is_empty() {
                return found.unread("", name, "lists stand in lists too deeply".to_owned());
            }
            for item in items {
                let kind = item.get("kind").and_then(Value::as_str).unwrap_or(kind_of_items);
                kubernetes(item, kind, deeper.saturating_sub(1), found);
            }
            return;
        }
    };
    let Some(pod) = pod else {
        return found.unread("", &format!("{kind}/{name}"), "it has no pod's spec".to_owned());
    };
    for list in ["initContainers", "containers", "ephemeralContainers"] {
        for container in pod.get(list).and_then(Value::as_array).into_iter().flatten() {
            let of = container.get("name").and_then(Value::as_str).unwrap_or_default();
            image(container.get("image"), format!("{kind}/{name} {of}").trim_end(), found);
        }
    }
}

/// A service that is only built has no image, and is none of ours.
fn image(value: Option<&Value>, place: &str, found: &mut Found) {
    match value {
        Some(Value::String(text)) => found.image(text, place),
        None | Some(Value::Null) => {}
        Some(other) => found.unread(&other.to_string(), place, "an image's name is a text".to_owned()),
    }
}
