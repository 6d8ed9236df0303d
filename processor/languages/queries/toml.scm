(document (pair . [(bare_key) (dotted_key) (quoted_key)] @name) @def.key)
(table . [(bare_key) (dotted_key) (quoted_key)] @name) @def.table
(table_array_element . [(bare_key) (dotted_key) (quoted_key)] @name) @def.table
(table (pair . [(bare_key) (dotted_key) (quoted_key)] @name) @def.key)
(comment) @comment
