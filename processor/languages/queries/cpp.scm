(function_definition declarator: (function_declarator declarator: (_) @name)) @def.function
(function_definition declarator: (pointer_declarator declarator: (function_declarator declarator: (_) @name))) @def.function
(declaration declarator: (function_declarator declarator: (identifier) @name)) @def.declaration
(declaration declarator: (pointer_declarator declarator: (function_declarator declarator: (identifier) @name))) @def.declaration
(struct_specifier name: (_) @name body: (_)) @def.struct
(union_specifier name: (_) @name body: (_)) @def.struct
(enum_specifier name: (_) @name body: (_)) @def.enum
(type_definition declarator: (type_identifier) @name) @def.type
(type_definition declarator: (pointer_declarator declarator: (type_identifier) @name)) @def.type
(type_definition declarator: (array_declarator declarator: (type_identifier) @name)) @def.type
(type_definition declarator: (primitive_type) @name) @def.type
(type_definition declarator: (reference_declarator (type_identifier) @name)) @def.type
(type_definition declarator: (function_declarator declarator: (type_identifier) @name)) @def.type
(type_definition declarator: (function_declarator declarator: (parenthesized_declarator
  (pointer_declarator declarator: (type_identifier) @name)))) @def.type
(preproc_def name: (identifier) @name value: (_)) @def.macro
(preproc_def name: (identifier) @name !value (#not-match? @name "(_H|_HH|_HPP|_HXX|_INCLUDED)_*$")) @def.macro
(preproc_function_def name: (identifier) @name) @def.macro
(translation_unit (declaration declarator: (init_declarator declarator: (identifier) @name)) @def.variable)
(translation_unit (declaration declarator: (init_declarator declarator: (array_declarator
  declarator: (identifier) @name))) @def.variable)
(translation_unit (declaration declarator: (init_declarator declarator: (pointer_declarator
  declarator: (identifier) @name))) @def.variable)

(preproc_include path: (_) @import)
(call_expression function: (_) @call)
(comment) @comment
(function_definition declarator: (reference_declarator (function_declarator declarator: (_) @name))) @def.function
(function_definition declarator: (operator_cast) @name) @def.function
(field_declaration declarator: (function_declarator declarator: (_) @name)) @def.declaration
(field_declaration declarator: (pointer_declarator declarator: (function_declarator declarator: (_) @name))) @def.declaration
(field_declaration declarator: (reference_declarator (function_declarator declarator: (_) @name))) @def.declaration
(class_specifier name: (_) @name body: (_)) @def.class
(namespace_definition name: (_) @name) @def.namespace
(alias_declaration name: (type_identifier) @name) @def.type
(concept_definition name: (_) @name) @def.type

(base_class_clause [(type_identifier) (qualified_identifier) (template_type)] @inherit)
(new_expression type: (_) @call)

[(if_statement) (for_statement) (while_statement) (do_statement) (case_statement) (conditional_expression)] @branch
(binary_expression operator: ["&&" "||"]) @branch
[(for_range_loop) (catch_clause)] @branch
(access_specifier) @access
(parameter_declaration type: (type_identifier) @bind.type declarator: (_) @bind.name)
(field_declaration type: (type_identifier) @bind.type declarator: (field_identifier) @bind.name)
(declaration type: (type_identifier) @bind.type declarator: (identifier) @bind.name)
