(class_declaration name: (identifier) @name) @def.class
(interface_declaration name: (identifier) @name) @def.interface
(enum_declaration name: (identifier) @name) @def.enum
(record_declaration name: (identifier) @name) @def.class
(annotation_type_declaration name: (identifier) @name) @def.interface
(annotation_type_element_declaration name: (identifier) @name) @def.method
(enum_constant name: (identifier) @name) @def.constant
(method_declaration name: (identifier) @name) @def.method
(constructor_declaration name: (identifier) @name) @def.method
(compact_constructor_declaration name: (identifier) @name) @def.method
(field_declaration (modifiers "static" "final") declarator: (variable_declarator name: (identifier) @name)) @def.constant
(constant_declaration declarator: (variable_declarator name: (identifier) @name)) @def.constant

(package_declaration [(scoped_identifier) (identifier)] @package)
(import_declaration) @imports
(method_invocation object: (_)? @receiver name: (identifier) @call)
(object_creation_expression type: (_) @call)
(method_reference . (_) @receiver (identifier) @call .)
(superclass (_) @inherit)
(super_interfaces (type_list (_) @inherit))
(extends_interfaces (type_list (_) @inherit))
[(line_comment) (block_comment)] @comment

[(if_statement) (for_statement) (enhanced_for_statement) (while_statement) (do_statement) (switch_label)
  (catch_clause) (ternary_expression)] @branch
(binary_expression operator: ["&&" "||"]) @branch
(formal_parameter type: (_) @bind.type name: (identifier) @bind.name)
(local_variable_declaration type: (_) @bind.type declarator: (variable_declarator name: (identifier) @bind.name))
(field_declaration type: (_) @bind.type declarator: (variable_declarator name: (identifier) @bind.name))
(enhanced_for_statement type: (_) @bind.type name: (identifier) @bind.name)
(resource type: (_) @bind.type name: (identifier) @bind.name)
