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
(field_declaration (modifier "const") (variable_declaration (variable_declarator name: (_) @name))) @def.constant
(field_declaration (modifier "readonly") (variable_declaration (variable_declarator name: (_) @name))) @def.constant

(using_directive [(identifier) (qualified_name)] @import .)
(invocation_expression function: (_) @call)
(object_creation_expression type: (_) @call)
(base_list (_) @inherit)
(comment) @comment
