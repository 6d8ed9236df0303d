(class_definition name: (_) @name) @def.class
(mixin_declaration (mixin) . (identifier) @name (class_body) @body) @def.class
(enum_declaration name: (_) @name) @def.enum
(enum_constant name: (_) @name) @def.constant
(extension_declaration name: (_) @name) @def.class
(type_alias . (type_identifier) @name) @def.type
((method_signature (function_signature name: (_) @name)) @def.method . (function_body) @body)
((method_signature (getter_signature name: (_) @name)) @def.property . (function_body) @body)
((method_signature (setter_signature name: (_) @name)) @def.property . (function_body) @body)
((method_signature (operator_signature "operator" @name)) @def.method . (function_body) @body)
((method_signature (constructor_signature name: (identifier) @name
  . parameters: (formal_parameter_list))) @def.method . (function_body) @body)
((method_signature (factory_constructor_signature (identifier) @name . (formal_parameter_list))) @def.method
  . (function_body) @body)
(declaration (constructor_signature name: (identifier) @name . parameters: (formal_parameter_list))) @def.method
(declaration (constant_constructor_signature (identifier) @name . (formal_parameter_list))) @def.method
(declaration (function_signature name: (_) @name)) @def.declaration
(declaration (getter_signature name: (_) @name)) @def.declaration
(declaration (setter_signature name: (_) @name)) @def.declaration
(declaration (static_final_declaration_list (static_final_declaration . (identifier) @name))) @def.constant
(declaration (initialized_identifier_list (initialized_identifier . (identifier) @name))) @def.property
((function_signature name: (_) @name) @def.function . (function_body) @body)
((getter_signature name: (_) @name) @def.function . (function_body) @body)
(lambda_expression parameters: (function_signature name: (_) @name)) @def.function
(program (static_final_declaration_list (static_final_declaration . (identifier) @name) @def.constant))
(program (initialized_identifier_list (initialized_identifier . (identifier) @name) @def.variable))

(import_specification (configurable_uri (uri (string_literal) @import)))
(library_export (configurable_uri (uri (string_literal) @import)))
(part_directive (uri (string_literal) @import))
((identifier) @call . (selector (argument_part)))
((selector (unconditional_assignable_selector (identifier) @call)) . (selector (argument_part)))
((selector (conditional_assignable_selector (identifier) @call)) . (selector (argument_part)))
(new_expression (type_identifier) @call)
(const_object_expression (type_identifier) @call)
(superclass (type_identifier) @inherit)
(mixins (type_identifier) @inherit)
(interfaces (type_identifier) @inherit)
(mixin_declaration (type_identifier) @inherit)
[(comment) (documentation_comment)] @comment
(annotation) @glue

[(if_statement) (for_statement) (while_statement) (do_statement) (switch_statement_case) (catch_clause)
  (conditional_expression) (logical_and_expression) (logical_or_expression)] @branch
