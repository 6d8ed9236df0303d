(function_declaration name: (identifier) @name) @def.function
(function_declaration name: (dot_index_expression table: (_) @owner field: (_) @name)) @def.function
(function_declaration name: (method_index_expression table: (_) @owner method: (_) @name)) @def.method
(assignment_statement (variable_list . name: (identifier) @name)
  (expression_list . value: (function_definition body: (_)? @body))) @def.function
(assignment_statement (variable_list . name: (dot_index_expression table: (_) @owner field: (_) @name))
  (expression_list . value: (function_definition body: (_)? @body))) @def.function
(field name: (identifier) @name value: (function_definition body: (_)? @body)) @def.function
(chunk (assignment_statement (variable_list . name: (identifier) @name)) @def.variable)
(chunk (variable_declaration (assignment_statement (variable_list . name: (identifier) @name)) @def.variable))

(function_call name: (identifier) @callee arguments: (arguments . (string content: (_) @import))
  (#any-of? @callee "require" "dofile" "loadfile"))
(function_call name: (_) @call)
(comment) @comment

[(if_statement) (elseif_statement) (for_statement) (while_statement) (repeat_statement)] @branch
(binary_expression ["and" "or"]) @branch
