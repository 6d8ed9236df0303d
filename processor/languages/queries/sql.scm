(create_table (object_reference name: (_) @name)) @def.table
(create_view (object_reference name: (_) @name)) @def.view
(create_materialized_view (object_reference name: (_) @name)) @def.view
(create_function (object_reference name: (_) @name) (function_body)? @body) @def.function
(create_procedure (object_reference name: (_) @name) (procedure_body)? @body) @def.function
(create_type (object_reference name: (_) @name)) @def.type
(create_trigger (keyword_trigger) . (object_reference name: (_) @name)) @def.trigger
(create_index column: (_) @name) @def.index
(create_schema (identifier) @name) @def.namespace
(create_sequence (object_reference name: (_) @name)) @def.sequence
(column_definitions (column_definition name: (_) @name) @def.column)
(alter_table (object_reference name: (_) @owner) (add_column (column_definition name: (_) @name) @def.column))

(relation (object_reference) @call)
(invocation (object_reference) @call)
(insert (object_reference) @call)
(create_trigger (keyword_function) . (object_reference) @call)
(alter_table (keyword_table) . (object_reference) @call)
(column_definition (keyword_references) . (object_reference) @call)
(create_index (keyword_on) . (object_reference) @call)
[(comment) (marginalia)] @comment
