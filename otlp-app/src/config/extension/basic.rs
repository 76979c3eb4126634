//! The extension `basicauth`: user and password, for receivers or for exporters.

use super::on_empty::WhenEmpty;
use crate::config::files::FilePath;
use crate::config::secret::SecretText;
use otlp_service::{AuthPart, BuildContext, MakeClient, MakeServer, SettingsError};
use otlp_transport::{Authenticate, BasicAuth, BasicCredentials, Credentials, Password, Username};
use serde::Deserialize;
use std::sync::Arc;

/// Settings of the extension `basicauth`: one of the two is required.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct BasicAuthSettings {
    htpasswd: Option<HtpasswdSettings>,
    client_auth: Option<ClientAuth>,
}

/// Users that receivers accept. A user's name is the identity of its senders.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct HtpasswdSettings {
    /// File of `user:password` lines, the password plain, `{SHA}` or bcrypt (`htpasswd -B`); it is watched.
    file: Option<FilePath>,
    /// The lines of `file` as a text. For a user that is in both, this text decides.
    inline: SecretText,
    /// Effect of an emptied file: keep (its users stay valid) or refuse (none of them is accepted). Default keep. Not a key
    /// of the Collector.
    on_empty: WhenEmpty,
}

/// Credentials that exporters send.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct ClientAuth {
    /// The user.
    username: String,
    /// The password.
    password: SecretText,
    /// File of the user, in place of `username`; it is watched.
    username_file: Option<FilePath>,
    /// File of the password, in place of `password`; it is watched.
    password_file: Option<FilePath>,
}

/// Makes `basicauth`.
pub(crate) fn basicauth(given: BasicAuthSettings, _: &BuildContext<'_>) -> Result<AuthPart, SettingsError> {
    let (server, client) = match (given.htpasswd, given.client_auth) {
        (Some(htpasswd), None) => (Some(server(htpasswd)), None),
        (None, Some(client_auth)) => (None, Some(client(client_auth))),
        (Some(_), Some(_)) => {
            let problem = "`client_auth` and `htpasswd` exclude each other: remove one";
            return Err(SettingsError::at("client_auth", problem));
        }
        (None, None) => {
            return Err(SettingsError::new(
                "`htpasswd` (for receivers) or `client_auth` (for exporters) is required",
            ));
        }
    };
    Ok(AuthPart { server, client, ..AuthPart::default() })
}

fn server(HtpasswdSettings { file, inline: SecretText(inline), on_empty }: HtpasswdSettings) -> MakeServer {
    let file = FilePath::path(file);
    Box::new(move |context| {
        let made = BasicAuth::new(context, file.clone(), &inline, None, on_empty.into())?;
        Ok(Arc::new(made) as Arc<dyn Authenticate>)
    })
}

fn client(given: ClientAuth) -> MakeClient {
    let user = FilePath::path(given.username_file).map_or(Username::Given(given.username), Username::File);
    let password =
        FilePath::path(given.password_file).map_or(Password::Given(given.password.0), Password::File);
    Box::new(move |context, _| {
        let made = BasicCredentials::new(context, user.clone(), password.clone(), None)?;
        Ok(Arc::new(made) as Arc<dyn Credentials>)
    })
}
