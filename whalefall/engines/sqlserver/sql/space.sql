-- What of the data files of one database is not allocated to anything (2012+), in pages of 8 KB.
SELECT SUM(f.unallocated_extent_page_count) AS free_pages
  FROM {database}.sys.dm_db_file_space_usage AS f
