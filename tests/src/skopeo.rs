//! Pushing, moving and deleting tags with skopeo, as a release pipeline does.

use std::ffi::OsStr;

use serde_json::Value;
use tagwarden_model::digest::Digest;

use crate::images::Image;

/// Pushes `image`, all platforms of it, byte by byte as it is, to `host/repository:tag`. Gives its digest.
pub async fn push(image: &Image, host: &str, repository: &str, tag: &str) -> Digest {
    let folder = tempfile::tempdir().expect("a temporary folder");
    image.write_folder(folder.path());
    let mut from = OsStr::new("dir:").to_owned();
    from.push(folder.path());
    let to = reference(host, repository, tag);
    let options = ["copy", "--all", "--preserve-digests", "--dest-tls-verify=false"].map(OsStr::new);
    run(options.into_iter().chain([from.as_os_str(), OsStr::new(&to)])).await.unwrap_or_else(|error| panic!("{error}"));
    image.digest.clone()
}

/// Lets `to_tag` name what `from_tag` names, in the same repository.
pub async fn move_tag(host: &str, repository: &str, from_tag: &str, to_tag: &str) {
    let (from, to) = (reference(host, repository, from_tag), reference(host, repository, to_tag));
    run(["copy", "--all", "--preserve-digests", "--src-tls-verify=false", "--dest-tls-verify=false", &from, &to])
        .await
        .unwrap_or_else(|error| panic!("{error}"));
}

/// Deletes the digest that `tag` names, and so every tag that shares it.
pub async fn delete(host: &str, repository: &str, tag: &str) {
    run(["delete", "--tls-verify=false", &reference(host, repository, tag)])
        .await
        .unwrap_or_else(|error| panic!("{error}"));
}

/// All tags, or what skopeo said.
pub async fn list_tags(host: &str, repository: &str) -> Result<Vec<String>, String> {
    let answer = run(["list-tags", "--tls-verify=false", &format!("docker://{host}/{repository}")]).await?;
    let answer: Value = serde_json::from_slice(&answer).map_err(|error| error.to_string())?;
    let tags = answer["Tags"].as_array().cloned().unwrap_or_default();
    Ok(tags.iter().filter_map(Value::as_str).map(str::to_owned).collect())
}

/// The digest of the manifest that `tag` names, or what skopeo said.
pub async fn digest(host: &str, repository: &str, tag: &str) -> Result<Digest, String> {
    let manifest = run(["inspect", "--raw", "--tls-verify=false", &reference(host, repository, tag)]).await?;
    Ok(Digest::of(&manifest))
}

fn reference(host: &str, repository: &str, tag: &str) -> String {
    format!("docker://{host}/{repository}:{tag}")
}

/// Runs skopeo; gives what it printed, or the command and its error output.
async fn run<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Result<Vec<u8>, String> {
    let mut command = tokio::process::Command::new("skopeo");
    // The images are our own and unsigned; a machine's policy.json may be missing or stricter.
    command.arg("--insecure-policy").args(arguments).kill_on_drop(true);
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "ALL_PROXY", "all_proxy"] {
        command.env_remove(name);
    }
    let output = command
        .output()
        .await
        .map_err(|error| format!("skopeo does not start ({error}): run packaging/tools.sh test"))?;
    if output.status.success() {
        Ok(output.stdout)
    } else {
        Err(format!("{:?}: {}", command.as_std(), String::from_utf8_lossy(&output.stderr)))
    }
}
