"""Return and destruction of the data, with proof, on the Controller's written direction (cl 15, 17.4(e), sch 3a).

tables -> course (which step comes next, pure) -> acts (writing down what happened); build, verify, destroy do the work
"""
