"""The page in German, place by place as in the English modules beside this folder."""
