import type {ComplexAttributeConverter} from 'lit';

/** An attribute that may be absent: then `undefined`. What is not a number is `NaN`, for the runtime to refuse by name. */
export const optionalNumber: ComplexAttributeConverter<number | undefined> = {
  fromAttribute: (value) => {
    if (value === null) return undefined;
    return value.trim() === '' ? NaN : Number(value);
  },
};
