"""What the engine of MySQL and MariaDB says, for `whalefall.engines.words`."""

from whalefall.engines.words import _

SENTENCES = (
    # capabilities
    _("{right} except {databases}"),
    _("SYSTEM_VARIABLES_ADMIN and {privilege} on *.*"),
    _("{right}, which has {privilege}"),
    _("{object} is defined by {definer}, who is missing"),
    _("the user name is empty"),
    _("the password is empty"),
    _("default_password_lifetime is 0"),
    _("a verifier of mysql_old_password"),
    _("the plugin {plugin} keeps a {kind} verifier"),
    _("another account has the same verifier"),
    _("no limit on failed logins"),
    _("host {host}"),
    _("root from host {host}"),
    _("nothing"),
    _("{count} accounts are called {user}"),
    # sections
    _("{login} has no {privilege} on *.*: what it may not see is missing."),
    _(
        "Not measured: with innodb_stats_on_metadata on, asking for sizes makes the server "
        "analyse every table."
    ),
    _("Routines of others are hidden from this login."),
    _("Views of others are hidden from this login."),
    # connecting
    _("{where} refused the login: {text} ({number})."),
    _("{where} takes no login now: {text} ({number})."),
    _("{where} wants another way of login: {text} ({number})."),
    _("{where} takes no login without TLS."),
    _("{where} offers no TLS."),
    _("No TLS connection to {where}: {text}."),
    _("{where} hung up before the login: {text}."),
    _("{where} refused the connection."),
    _("Unknown host: {host}."),
    _("TLS mode verify-ca needs a CA file."),
    _("The driver mysqlclient is not installed."),
    _("{vendor} {version} is too old."),
    _("MySQL 5.6 and MariaDB 10.3 are the oldest that can be read."),
    _("{version} is no version of MySQL or MariaDB."),
    # what to do
    _("Give the instance its CA file."),
    _("Install gcc, pkg-config, libmariadb-dev and python3-dev, then run make setup."),
    _(
        "Give the collector's account caching_sha2_password or, on old servers, "
        "mysql_native_password."
    ),
    _("Check the user name and the password, and that the account may come from this host."),
    _("Create the collector's account for the host that WhaleFall connects from."),
    _("This account logs in by the operating system; give the collector one with a password."),
    _("Give the collector's account a new password: this one has expired."),
    _("Unlock the collector's account (ALTER USER ... ACCOUNT UNLOCK)."),
    _("Wait until the account is unlocked, or unlock it: too many failed logins."),
    _("Unblock this host (FLUSH HOSTS, or TRUNCATE performance_schema.host_cache)."),
    _("Raise max_connections or try again later."),
    _("Raise max_user_connections or try again later."),
    _("Raise the resource limits of the collector's account."),
    _("Check the CA file and that the certificate names this host."),
    _("Check the host and the port, and that the server is running."),
    _("Turn TLS on at the server, or set the instance's TLS mode to off."),
    _("Check for a firewall in between, and that a MySQL or MariaDB listens there."),
    _("Check that a MySQL or MariaDB listens on this port and lets this host in."),
    _("Set the instance's TLS mode to require."),
)
