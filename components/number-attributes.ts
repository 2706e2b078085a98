import type {ComplexAttributeConverter} from 'lit';

/** An attribute that may be absent: then `undefined`. What is not a number is `NaN`, for the runtime to refuse by name. */
export const optionalNumber: ComplexAttributeConverter<number | undefined> = {
  fromAttribute: (value) => {
    if (value === null) return undefined;
    return value.trim() === '' ? NaN : Number(value);
  },
};

/** An attribute that is a number or, also where it is absent, `auto`. */
export const numberOrAuto: ComplexAttributeConverter<number | 'auto'> = {
  fromAttribute: (value) => (value === null || value === 'auto' ? 'auto' : Number(value.trim() || NaN)),
};
