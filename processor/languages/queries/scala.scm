(class_definition name: (_) @name) @def.class
(trait_definition name: (_) @name) @def.trait
(object_definition name: (_) @name) @def.object
(package_object name: (_) @name) @def.object
(enum_definition name: (_) @name) @def.enum
(simple_enum_case name: (_) @name) @def.constant
(full_enum_case name: (_) @name) @def.constant
(given_definition name: (_) @name) @def.object
(extension_definition parameters: (parameters (parameter type: (_) @name))) @scope
(function_definition name: (_) @name) @def.function
(function_declaration name: (_) @name) @def.declaration
(type_definition name: (_) @name) @def.type
(compilation_unit (val_definition pattern: (identifier) @name) @def.variable)
(compilation_unit (var_definition pattern: (identifier) @name) @def.variable)
(template_body (val_definition pattern: (identifier) @name) @def.property)
(template_body (var_definition pattern: (identifier) @name) @def.property)
(template_body (val_declaration name: (identifier) @name) @def.declaration)
(template_body (var_declaration name: (identifier) @name) @def.declaration)

(compilation_unit (package_clause name: (_) @package !body))
(import_declaration) @imports
(call_expression function: (_) @call)
(instance_expression . (_) @call)
(extends_clause [(type_identifier) (generic_type) (stable_type_identifier)] @inherit)
[(comment) (block_comment)] @comment
(annotation name: (_) @call)

[(if_expression) (for_expression) (while_expression) (case_clause) (catch_clause)] @branch
