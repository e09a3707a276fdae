-- From the root: every pluggable database, and the open mode of those that this login sees.
SELECT p.pdb_id
     , p.pdb_name
     , c.open_mode
  FROM sys.dba_pdbs p
  LEFT JOIN sys.v_$containers c ON c.con_id = p.pdb_id
 ORDER BY p.pdb_id
