-- The settings that decide what some privileges are worth.
SELECT c.name, CAST(c.value_in_use AS int) AS setting
  FROM sys.configurations AS c
 WHERE c.name IN (N'xp_cmdshell', N'clr enabled', N'clr strict security', N'Ole Automation Procedures'
                , N'cross db ownership chaining', N'Ad Hoc Distributed Queries', N'remote access'
                , N'common criteria compliance enabled', N'contained database authentication'
                , N'scan for startup procs', N'Database Mail XPs')
 ORDER BY c.name
