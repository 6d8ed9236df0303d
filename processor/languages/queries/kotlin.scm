(class_declaration name: (_) @name) @def.class
(class_declaration "interface" name: (_) @name) @def.interface
(class_declaration name: (_) @name (enum_class_body)) @def.enum
(object_declaration name: (_) @name) @def.object
(companion_object name: (_) @name) @def.object
(class_declaration name: (_) @name [(class_body) (enum_class_body)] @body) @def.class
(object_declaration name: (_) @name (class_body) @body) @def.object
(companion_object name: (_) @name (class_body) @body) @def.object
(enum_entry . (identifier) @name) @def.constant
(function_declaration name: (_) @name) @def.function
(function_declaration name: (_) @name (function_body) @body) @def.function
(function_declaration (user_type . (identifier) @owner) . name: (_) @name) @def.method
(function_declaration (nullable_type (user_type . (identifier) @owner)) . name: (_) @name) @def.method
(secondary_constructor "constructor" @name (block)? @body) @def.method
(type_alias type: (_) @name) @def.type
(source_file (property_declaration (variable_declaration (identifier) @name)) @def.variable)
(source_file (property_declaration (user_type . (identifier) @owner)
  (variable_declaration (identifier) @name)) @def.property)
(class_body (property_declaration (variable_declaration (identifier) @name)) @def.property)
(enum_class_body (property_declaration (variable_declaration (identifier) @name)) @def.property)
(property_declaration (modifiers (property_modifier "const")) (variable_declaration (identifier) @name)) @def.constant

(package_header (qualified_identifier) @package)
(import) @imports
(call_expression . (_) @call)
(constructor_invocation (user_type) @call)
(delegation_specifier (user_type) @inherit)
(delegation_specifier (constructor_invocation (user_type) @inherit))
(delegation_specifier (explicit_delegation (user_type) @inherit))
(annotation [(user_type) (constructor_invocation (user_type))] @call)
[(line_comment) (block_comment)] @comment

[(if_expression) (for_statement) (while_statement) (do_while_statement) (when_entry) (catch_block)] @branch
(binary_expression operator: ["&&" "||" "?:"]) @branch
(parameter (identifier) @bind.name (user_type) @bind.type)
(class_parameter (identifier) @bind.name (user_type) @bind.type)
(variable_declaration (identifier) @bind.name (user_type) @bind.type)
