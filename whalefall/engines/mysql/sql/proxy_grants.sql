SELECT User, Host, Proxied_user, Proxied_host, With_grant, Grantor
FROM mysql.proxies_priv
ORDER BY User, Host, Proxied_user, Proxied_host
