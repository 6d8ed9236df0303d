(class_declaration name: (_) @name) @def.class
(struct_declaration name: (_) @name) @def.struct
(interface_declaration name: (_) @name) @def.interface
(enum_declaration name: (_) @name) @def.enum
(record_declaration name: (_) @name) @def.class
(delegate_declaration name: (_) @name) @def.type
(method_declaration name: (_) @name) @def.method
(constructor_declaration name: (_) @name) @def.method
(destructor_declaration name: (_) @name) @def.method
(local_function_statement name: (_) @name) @def.function
(property_declaration name: (_) @name) @def.property
(namespace_declaration name: (_) @name) @def.namespace
(file_scoped_namespace_declaration name: (_) @name) @section.namespace
(field_declaration (modifier "const") (variable_declaration (variable_declarator name: (_) @name))) @def.constant
(field_declaration (modifier "readonly") (variable_declaration (variable_declarator name: (_) @name))) @def.constant

(using_directive) @imports
(invocation_expression function: (_) @call)
(object_creation_expression type: (_) @call)
(base_list (_) @inherit)
(comment) @comment

[(if_statement) (for_statement) (foreach_statement) (while_statement) (do_statement) (switch_section)
  (switch_expression_arm) (catch_clause) (conditional_expression)] @branch
(binary_expression operator: ["&&" "||" "??"]) @branch
(parameter type: (_) @bind.type name: (identifier) @bind.name)
(variable_declaration type: [(identifier) (qualified_name) (generic_name) (nullable_type)] @bind.type
  (variable_declarator name: (identifier) @bind.name))
(variable_declarator name: (identifier) @bind.name (object_creation_expression type: (_) @bind.type))
(property_declaration type: (_) @bind.type name: (identifier) @bind.name)
