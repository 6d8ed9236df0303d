(from_instruction as: (_) @name) @section.stage
(from_instruction (image_spec) @name !as) @section.stage
(arg_pair name: (_) @name) @def.variable
(env_pair name: (_) @name) @def.variable

(from_instruction (image_spec) @import)
(copy_instruction (param) @call (#match? @call "^--from="))
(comment) @comment
