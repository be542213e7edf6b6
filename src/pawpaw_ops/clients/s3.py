"""stub"""
class S3Location:
    pass
