(rule_set (selectors (class_selector (class_name (identifier) @name))) (block) @body) @def.rule
(rule_set (selectors (_ (class_selector (class_name (identifier) @name)))) (block) @body) @def.rule
(rule_set (selectors (id_selector (id_name) @name)) (block) @body) @def.rule
(rule_set (selectors (_ (id_selector (id_name) @name))) (block) @body) @def.rule
(keyframes_statement (keyframes_name) @name (keyframe_block_list) @body) @def.rule
(declaration (property_name) @name (#match? @name "^--")) @def.variable

(import_statement (string_value (string_content) @import))
(import_statement (call_expression (arguments (string_value (string_content) @import))))
(comment) @comment
