//! The detector `docker`: the API of the Docker engine.

use super::config::{DetectorKind, ResourceDetectionConfig};
use super::detector::{Found, SCHEMA_URL, Sources};
use crate::surroundings::host::host_name;
use otlp_protocol::AttributeValue;
use otlp_protocol::json::{JsonError, JsonReader};
use otlp_transport::http_get;

/// Asks the engine about itself, and about the container that this process runs in.
pub(super) async fn detect(sources: &Sources, config: &ResourceDetectionConfig) -> Result<Found, String> {
    match ask(sources, config).await {
        Err(problem) if !config.fail_on_missing_metadata => {
            tracing::debug!(cause = %problem, "the Docker engine cannot be asked");
            Ok(Found::default())
        }
        result => result,
    }
}

async fn ask(sources: &Sources, config: &ResourceDetectionConfig) -> Result<Found, String> {
    let is_enabled = |key: &str| config.is_enabled(DetectorKind::Docker, key);
    let mut found = Found { schema_url: SCHEMA_URL, ..Found::default() };
    if is_enabled(HOST_NAME) || is_enabled(OS_TYPE) {
        let [name, os_type] = get(sources, "/info", ["Name", "OSType"]).await?;
        set(&mut found, HOST_NAME, name, is_enabled(HOST_NAME));
        set(&mut found, OS_TYPE, os_type, is_enabled(OS_TYPE));
    }
    if is_enabled(CONTAINER_NAME) || is_enabled(IMAGE_NAME) {
        let id = sources.with_surroundings(host_name).ok_or("this container has no host name")?;
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if !id.bytes().all(is_plain) {
            return Err(format!("the host name {id:?} is not the id of a container"));
        }
        let [name, image] = get(sources, &format!("/containers/{id}/json"), ["Name", "Image"]).await?;
        set(&mut found, CONTAINER_NAME, name, is_enabled(CONTAINER_NAME));
        set(&mut found, IMAGE_NAME, image, is_enabled(IMAGE_NAME));
    }
    Ok(found)
}

fn set(found: &mut Found, key: &str, value: String, is_enabled: bool) {
    if is_enabled {
        found.set(key, AttributeValue::new(value));
    }
}

/// Gets an object, and returns two of its texts.
async fn get(sources: &Sources, path: &str, keys: [&str; 2]) -> Result<[String; 2], String> {
    let engine = (sources.lookup)("DOCKER_HOST").filter(|host| !host.is_empty());
    let engine = engine.unwrap_or_else(|| DEFAULT_ENGINE.to_owned());
    let address = match engine.strip_prefix("tcp://").or_else(|| engine.strip_prefix("http://")) {
        Some(address) => address.trim_end_matches('/').to_owned(),
        None if engine.starts_with("unix:") => engine.clone(),
        None => return Err(format!("DOCKER_HOST: {engine:?} is neither unix://PATH nor tcp://HOST:PORT")),
    };
    let answer = http_get(&*sources.net, &address, path, MAX_ANSWER_BYTES).await;
    let (status, body) = answer.map_err(|error| format!("{engine}{path}: {error}"))?;
    if status != 200 {
        return Err(format!("{engine}{path}: answered with the status {status}"));
    }
    texts(&body, keys)
        .map_err(|error| format!("{engine}{path}: the answer is not what was expected: {error}"))
}

fn texts(body: &[u8], keys: [&str; 2]) -> Result<[String; 2], JsonError> {
    let mut found = [String::new(), String::new()];
    JsonReader::read(body, |reader| {
        reader.object(|reader, key| match keys.iter().position(|known| *known == key) {
            Some(index) => {
                found[index] = reader.string()?;
                Ok(())
            }
            None => reader.skip(),
        })
    })?;
    Ok(found)
}

const HOST_NAME: &str = "host.name";
const OS_TYPE: &str = "os.type";
const CONTAINER_NAME: &str = "container.name";
const IMAGE_NAME: &str = "container.image.name";
const DEFAULT_ENGINE: &str = "unix:///var/run/docker.sock";
/// The description of an engine or a container is some 10 KiB.
const MAX_ANSWER_BYTES: usize = 1 << 20;
