SELECT p.name
     , p.value
  FROM sys.v_$system_parameter p
 WHERE p.name IN ('o7_dictionary_accessibility', 'O7_DICTIONARY_ACCESSIBILITY', 'os_roles', 'remote_login_passwordfile', 'resource_limit', 'sec_case_sensitive_logon', 'common_user_prefix')
 ORDER BY p.name
