//! The extension `headers_setter`: sets headers of exporters' requests, also from headers of the request that was received.

use crate::config::decode::given;
use crate::config::files::FilePath;
use crate::config::secret::SecretText;
use otlp_service::{AuthPart, BuildContext, ExtensionRef, MakeClient, Needs, SettingsError};
use otlp_transport::{Credentials, HeaderAction, HeaderSource, HeadersSetter, SetHeader};
use serde::Deserialize;
use std::sync::Arc;

/// Settings of the extension `headers_setter`.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct HeadersSetterSettings {
    headers: Vec<Header>,
    /// Id of another extension whose credentials are added after the headers.
    additional_auth: Option<String>,
}

/// One header.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Header {
    /// insert (if the header is absent), update (if it is present), upsert, delete. Default upsert.
    action: Action,
    /// Name of the header. Required.
    key: String,
    /// Value of the header.
    #[serde(deserialize_with = "given")]
    value: Option<SecretText>,
    /// File with the value, which ends at the line's end; it is watched.
    value_file: Option<FilePath>,
    /// Header of the received request whose value is taken; the receiver needs `include_metadata`.
    from_context: Option<String>,
    /// Takes the sender's identity as the value: `subject`, `username`, `identity` mean the same.
    from_attribute: Option<String>,
    /// Value if `from_context` and `from_attribute` find none. Default: the header stays as it is.
    #[serde(deserialize_with = "given")]
    default_value: Option<SecretText>,
}

/// Values of `action`.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Action {
    Insert,
    Update,
    #[default]
    #[serde(alias = "")]
    Upsert,
    Delete,
}

/// Makes `headers_setter`.
pub(crate) fn headers_setter(
    given: HeadersSetterSettings,
    _: &BuildContext<'_>,
) -> Result<AuthPart, SettingsError> {
    let mut needs = Needs::default();
    let mut headers = Vec::with_capacity(given.headers.len());
    for header in given.headers {
        let header = header.set(&mut needs);
        headers.push(header.map_err(|problem| SettingsError::at("headers", problem))?);
    }
    let then = given.additional_auth.map(|id| ExtensionRef { id, path: "additional_auth".into() });
    if headers.is_empty() && then.is_none() {
        let problem = "at least one header, or `additional_auth`, is required";
        return Err(SettingsError::at("headers", problem));
    }
    let client: MakeClient = Box::new(move |context, then| {
        Ok(Arc::new(HeadersSetter::new(context, headers.clone(), then, None)?) as Arc<dyn Credentials>)
    });
    Ok(AuthPart { server: None, client: Some(client), then, needs })
}

// === impl Header ===

impl Header {
    fn set(self, needs: &mut Needs) -> Result<SetHeader, String> {
        let key = self.key;
        let default = self.default_value.map(|SecretText(value)| value);
        let sources = [
            self.value.map(|SecretText(value)| HeaderSource::Value(value)),
            FilePath::path(self.value_file).map(HeaderSource::File),
            self.from_context.map(|name| HeaderSource::Context {
                name: name.to_lowercase().into(),
                default: default.clone(),
            }),
            self.from_attribute.as_ref().map(|_| HeaderSource::Identity { default }),
        ];
        let mut sources = sources.into_iter().flatten();
        let source = sources.next();
        if key.is_empty() {
            return Err("a header has no `key`".into());
        }
        if sources.next().is_some() {
            return Err(format!(
                "`{key}`: only one of value, value_file, from_context, from_attribute is allowed"
            ));
        }
        if let Some(attribute) = self.from_attribute.filter(|name| !ATTRIBUTES.contains(&name.as_str())) {
            return Err(format!(
                "`{key}`: unknown attribute `{attribute}`; available: {}",
                ATTRIBUTES.join(", ")
            ));
        }
        let action = match self.action {
            Action::Insert => HeaderAction::Insert,
            Action::Update => HeaderAction::Update,
            Action::Upsert => HeaderAction::Upsert,
            Action::Delete => HeaderAction::Delete,
        };
        if source.is_none() && action != HeaderAction::Delete {
            return Err(format!(
                "`{key}`: one of value, value_file, from_context, from_attribute is required"
            ));
        }
        match &source {
            Some(HeaderSource::Context { name, .. }) => needs.headers.push(name.clone()),
            Some(HeaderSource::Identity { .. }) => needs.identity = true,
            _ => {}
        }
        Ok(SetHeader { key, action, source })
    }
}

const ATTRIBUTES: [&str; 3] = ["identity", "subject", "username"];
