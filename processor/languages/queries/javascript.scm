(function_declaration name: (_) @name) @def.function
(generator_function_declaration name: (_) @name) @def.function
(class_declaration name: (_) @name) @def.class
(method_definition name: (_) @name) @def.method
(field_definition property: (_) @name value: (arrow_function body: (_) @body)) @def.method
(field_definition property: (_) @name value: (function_expression body: (_) @body)) @def.method
(variable_declarator name: (identifier) @name value: (arrow_function body: (_) @body)) @def.function
(variable_declarator name: (identifier) @name value: (function_expression body: (_) @body)) @def.function
(variable_declarator name: (identifier) @name value: (class body: (_) @body)) @def.class
(assignment_expression left: (identifier) @name right: (function_expression body: (_) @body)) @def.function
(assignment_expression left: (member_expression property: (_) @name) right: (function_expression body: (_) @body)) @def.function
(assignment_expression left: (member_expression property: (_) @name) right: (arrow_function body: (_) @body)) @def.function
(pair key: [(property_identifier) (string)] @name value: (function_expression body: (_) @body)) @def.function
(pair key: [(property_identifier) (string)] @name value: (arrow_function body: (_) @body)) @def.function
(program (lexical_declaration (variable_declarator name: (identifier) @name) @def.variable))
(program (variable_declaration (variable_declarator name: (identifier) @name) @def.variable))
(program (export_statement (lexical_declaration (variable_declarator name: (identifier) @name) @def.variable)))

(import_statement source: (_)) @imports
(export_statement source: (_)) @imports
(call_expression function: (import) arguments: (arguments . (string (string_fragment) @import)))
(call_expression function: (identifier) @callee arguments: (arguments . (string (string_fragment) @import))
  (#eq? @callee "require"))
(variable_declarator name: (_) @import.to value: (call_expression function: (identifier) @callee
  arguments: (arguments . (string (string_fragment) @import))) (#eq? @callee "require"))

(call_expression function: [(identifier) (member_expression)] @call)
(new_expression constructor: (_) @call)
(decorator (identifier) @call)
(comment) @comment
(class_heritage (_) @inherit)
(jsx_opening_element name: (_) @component)
(jsx_self_closing_element name: (_) @component)

[(if_statement) (for_statement) (for_in_statement) (while_statement) (do_statement) (switch_case) (catch_clause)
  (ternary_expression)] @branch
(binary_expression operator: ["&&" "||" "??"]) @branch
(export_statement !source (export_clause (export_specifier name: (identifier) @exported)))
(export_statement value: (identifier) @exported)
(variable_declarator name: (identifier) @bind.name value: (new_expression constructor: (identifier) @bind.type))
(assignment_expression left: (member_expression object: (this)) @bind.name right: (new_expression constructor: (identifier) @bind.type))
(field_definition property: (_) @bind.name value: (new_expression constructor: (identifier) @bind.type))
