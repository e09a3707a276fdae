-- The volumes that hold files of databases (2008 R2 SP1 and newer), in bytes.
SELECT DISTINCT v.volume_mount_point
     , v.total_bytes
     , v.available_bytes
  FROM sys.master_files AS f
 CROSS APPLY sys.dm_os_volume_stats(f.database_id, f.file_id) AS v
 ORDER BY v.volume_mount_point
