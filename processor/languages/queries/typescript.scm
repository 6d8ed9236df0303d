(function_declaration name: (_) @name) @def.function
(generator_function_declaration name: (_) @name) @def.function
(class_declaration name: (_) @name) @def.class
(method_definition name: (_) @name) @def.method
(public_field_definition name: (_) @name value: (arrow_function body: (_) @body)) @def.method
(public_field_definition name: (_) @name value: (function_expression body: (_) @body)) @def.method
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
(abstract_class_declaration name: (_) @name) @def.class
(interface_declaration name: (_) @name) @def.interface
(type_alias_declaration name: (_) @name) @def.type
(enum_declaration name: (_) @name) @def.enum
(internal_module name: (_) @name) @def.namespace
(module name: (_) @name) @def.namespace
(function_signature name: (_) @name) @def.declaration
(method_signature name: (_) @name) @def.declaration
(abstract_method_signature name: (_) @name) @def.declaration

(extends_clause value: (_) @inherit)
(implements_clause (_) @inherit)
(extends_type_clause type: (_) @inherit)

[(if_statement) (for_statement) (for_in_statement) (while_statement) (do_statement) (switch_case) (catch_clause)
  (ternary_expression)] @branch
(binary_expression operator: ["&&" "||" "??"]) @branch
(export_statement !source (export_clause (export_specifier name: (identifier) @exported)))
(export_statement value: (identifier) @exported)
(variable_declarator name: (identifier) @bind.name value: (new_expression constructor: (identifier) @bind.type))
(assignment_expression left: (member_expression object: (this)) @bind.name right: (new_expression constructor: (identifier) @bind.type))
(required_parameter pattern: (identifier) @bind.name type: (type_annotation (_) @bind.type))
(optional_parameter pattern: (identifier) @bind.name type: (type_annotation (_) @bind.type))
(variable_declarator name: (identifier) @bind.name type: (type_annotation (_) @bind.type))
(public_field_definition name: (_) @bind.name type: (type_annotation (_) @bind.type))
(public_field_definition name: (_) @bind.name value: (new_expression constructor: (identifier) @bind.type))
