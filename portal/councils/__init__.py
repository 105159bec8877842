"""The councils that run children's services: the register, its dated record, who agrees and who helps."""
